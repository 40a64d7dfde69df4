// SPDX-License-Identifier: Apache-2.0
//
// What a simulated model server is told at start. Names and defaults are those of llm-d-inference-sim where it has the
// option, else vLLM's. Manual: docs/simulator.md.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "llmd/simulator/dataset.h"
#include "llmd/simulator/engine.h"
#include "llmd/simulator/failure.h"
#include "llmd/simulator/fake_metrics.h"
#include "llmd/simulator/output_plan.h"
#include "llmd/simulator/tool_call.h"
#include "llmd/wire/block_hash.h"
#include "llmd/wire/kv_event.h"
#include "net/tls.h"

namespace spanloom::llmd::simulator {

// What it is in a pair of prefill and decode: vLLM's kv_role, as far as it changes anything here.
enum class Role : uint8_t { kBoth, kPrefill, kDecode };

// vLLM's --runner: which routes there are.
enum class Runner : uint8_t {
  kAuto,      // all
  kGenerate,  // those of a model that answers
  kPooling,   // those of a model that makes embeddings and scores
};

struct SimulatorOptions {
  std::string model = {};                      // not empty
  std::vector<std::string> served_names = {};  // empty: the model; the first is what metrics say
  std::string endpoint = "0.0.0.0:8000";
  std::optional<net::TlsServerOptions> tls = {};  // unset: cleartext
  size_t rank = 0;                                // --data-parallel-rank; of the first, if there are several
  size_t body_bytes_max = 4 << 20;                // --max-request-body-size-mb
  std::chrono::nanoseconds startup_duration{0};   // until /health/ready says so
  Role role = Role::kBoth;
  AnswerMode mode = AnswerMode::kRandom;
  int64_t model_tokens_max = 1'024;    // --max-model-len
  double cache_hit_threshold = 0;      // of requests that name none, 0 to 1; 0: none
  int64_t embedding_dimensions = 384;  // of requests that name none
  int64_t tensor_parallel_size = 1;    // what prefill says of itself
  std::optional<uint64_t> seed = {};
  EngineOptions engine = {};
  wire::BlockHashAlgorithm hash_algorithm = wire::BlockHashAlgorithm::kSha256Cbor;
  std::string hash_seed = {};                // PYTHONHASHSEED; "" as vLLM's random seed, if that is not set
  std::vector<std::string> lora_names = {};  // --lora-modules
  bool shows_cached_tokens = false;          // --enable-prompt-tokens-details
  bool echoes_request_id = false;            // --enable-request-id-headers
  bool forces_usage = false;                 // --enable-force-include-usage
  bool is_faithful = false;                  // vLLM's oddities are kept
  Runner runner = Runner::kAuto;
  bool has_sleep_mode = true;  // --no-enable-sleep-mode: /sleep and its like are not there
  bool is_strict = false;      // --strict: bodies are to say that they are JSON
  FailureOptions failures = {};
  ToolOptions tools = {};
  std::shared_ptr<const Dataset> dataset = {};                  // null: answers are made up
  std::optional<FakeMetrics> fake_metrics = {};                 // set: all that /metrics says
  std::chrono::nanoseconds fake_metrics_interval{100'000'000};  // at which its functions are asked
  std::string cache_dtype = "auto";                             // --kv-cache-dtype: what the metrics say
  std::optional<uint16_t> side_channel_port = {};  // VLLM_NIXL_SIDE_CHANNEL_PORT; unset: blocks are not asked for
  std::string side_channel_host = "127.0.0.1";     // VLLM_NIXL_SIDE_CHANNEL_HOST
  std::optional<uint16_t> bootstrap_port = {};     // of Mooncake's and SGLang's bootstrap server; unset: there is none
  bool fails_without_blocks = false;               // kv_load_failure_policy "fail"; else they are computed again
  std::string engine_id = {};                      // remote_engine_id of what it keeps; made up if ""
  std::string pod_name = {};                       // POD_NAME and POD_NAMESPACE: told in every answer
  std::string pod_namespace = {};
};

// kInvalidArgument names the option, its value, what is allowed and what to do.
Status Validate(const SimulatorOptions& options);

}  // namespace spanloom::llmd::simulator
