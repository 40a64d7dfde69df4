// SPDX-License-Identifier: Apache-2.0
//
// One imagined request to an llm-d cluster: what was asked, where it went, how it ended, and when each step began and
// ended. No spans yet: the shapes write them, each in the words of its release. Order and gaps of the steps follow the
// recordings of real clusters (tests/data/recorded); durations are those of a GPU cluster and guesses.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/rng.h"
#include "cli/tracegen/llmd_fleet.h"
#include "cli/tracegen/span_writer.h"

namespace spanloom::cli::tracegen {

enum class Outcome {
  kServed,         // 200
  kPrefillFailed,  // the prefill pod refuses the connection
  kRejected,       // vLLM answers the prefill leg with 400: the prompt is too long
  kAborted,        // the client goes away during decode
};

// What vLLM measures of one request in one engine. Durations in nanoseconds.
struct EngineTimes {
  Interval span;               // arrival to the end of the last output's processing
  int64_t queue_ns = 0;        // until first scheduled; on a decode pod this holds the pull of the KV cache
  int64_t prefill_ns = 0;      // first scheduled to first token
  int64_t decode_ns = 0;       // first to last token; 0 for one token
  int64_t first_token_ns = 0;  // arrival to first token
  int64_t end_to_end_ns = 0;   // arrival to last token
};

struct LlmdRequest {
  // The question.
  size_t pool = 0;
  std::string id;    // x-request-id, a UUID
  bool chat = true;  // chat completions, else completions
  bool streaming = true;
  bool greedy = false;  // temperature 0, which vLLM leaves out of its span
  int64_t prompt_tokens = 0;
  int64_t cached_tokens = 0;  // of them in the prefill pod's prefix cache; whole blocks
  int64_t output_tokens = 0;
  int64_t max_tokens = 0;
  std::string_view path() const { return chat ? "/v1/chat/completions" : "/v1/completions"; }

  // The way through the cluster.
  size_t prefill_pod = 0;
  size_t decode_pod = 0;
  int64_t peer_port = 0;  // of the gateway's connection to the sidecar
  std::string client_address;
  double load = 0;  // of the pool, 0 (idle) to 1

  // The steps, from the start of the trace.
  Outcome outcome = Outcome::kServed;
  int http_status = 200;  // of the answer; not known where the client aborted
  Interval gateway;
  Interval proxy_server;
  Interval proxy_request;
  Interval proxy_prefill;
  Interval proxy_decode;         // only if has_decode_step()
  EngineTimes prefill;           // only if has_prefill_engine()
  EngineTimes decode;            // only if has_decode_engine()
  bool decoded_locally = false;  // the sidecar gave up on prefill and let the decode pod do both

  [[nodiscard]] bool has_prefill_engine() const { return outcome == Outcome::kServed || outcome == Outcome::kAborted; }
  [[nodiscard]] bool has_decode_step() const { return has_prefill_engine(); }
  // vLLM has no span for a request that was aborted.
  [[nodiscard]] bool has_decode_engine() const { return outcome == Outcome::kServed || decoded_locally; }
  [[nodiscard]] int64_t end_ns() const;
};

inline constexpr int64_t kBlockTokens = 64;  // of the prefix cache

// What the sidecar does when the prefill leg fails for good: v0.6 lets the decode pod do both, later ones answer 502.
enum class PrefillFailure { kDecodeLocally, kBadGateway };

// The question and its way; number `index` decides the load of the moment.
LlmdRequest DrawQuestion(Rng& rng, const Fleet& fleet, uint64_t index);

// Fills in the steps. EPP has finished its scheduling at `scheduled_ns`.
void DrawSteps(Rng& rng, const Fleet& fleet, PrefillFailure on_failure, int64_t scheduled_ns, LlmdRequest& request);

}  // namespace spanloom::cli::tracegen
