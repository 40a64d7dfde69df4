// SPDX-License-Identifier: Apache-2.0
//
// What every request of a simulated server needs: borrowed from the server that owns it all, and immutable or
// thread-safe.

#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "llmd/simulator/engine_host.h"
#include "llmd/simulator/engine_metrics.h"
#include "llmd/simulator/live_options.h"
#include "llmd/simulator/meetings.h"
#include "llmd/simulator/model_names.h"
#include "llmd/simulator/options.h"
#include "llmd/simulator/side_channel.h"
#include "llmd/wire/openai_answer.h"
#include "net/http.h"
#include "sdk/tracer.h"

namespace spanloom::llmd::simulator {

inline constexpr std::string_view kVllmVersion = "0.32.0";  // whose API this is

struct Serving {
  const SimulatorOptions& options;
  const Clock& clock;
  const sdk::Tracer& tracer;
  const wire::BlockHasher& hasher;
  EngineHost& engine;
  EngineMetrics& metrics;
  ModelNames& names;
  std::atomic<uint64_t>& request_count;  // for what differs from request to request
  net::LoopPool& loops;
  const std::string fingerprint;        // system_fingerprint
  LiveOptions* live = nullptr;          // what of the options changes; one for all ranks; null until the server opens
  SideChannel* side_channel = nullptr;  // null: there is none
  Meetings* meetings = nullptr;         // of this server's prefills; null: nobody can ask for them by name
};

// An answer of the API: JSON with its status.
[[nodiscard]] net::HttpResponse JsonAnswer(int status, std::string body);
[[nodiscard]] net::HttpResponse ErrorAnswer(const wire::ApiError& error);
// A refusal as vLLM words it: 400 for kInvalidArgument, 404 for kNotFound, 429 for kResourceExhausted, else 500.
[[nodiscard]] wire::ApiError ErrorOf(const Status& status);

// 404: nothing that is served is called `name`.
[[nodiscard]] Status NoModel(const ModelNames& names, std::string_view name);

// The base of a request's ids: of the header X-Request-Id, of the body, or made up for the `number`th request.
[[nodiscard]] std::string RequestId(const net::HttpHeaders& headers, const std::string& of_body,
                                    const SimulatorOptions& options, uint64_t number);

// What became of a sequence: in a word for spans, and for the client.
struct Outcome {
  std::string_view error = {};  // "": it has finished
  wire::ApiError answer = {};   // no message: none
};
[[nodiscard]] Outcome OutcomeOf(SequenceEnd end, const SimulatorOptions& options);

// What the answer to a request carries besides: its id if that is wanted, and where it was made.
void AddAnswerHeaders(const SimulatorOptions& options, const net::HttpHeaders& request, net::HttpHeaders& answer);

}  // namespace spanloom::llmd::simulator
