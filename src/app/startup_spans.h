// SPDX-License-Identifier: Apache-2.0
//
// The spans that vLLM makes of its start: three processes, one trace, as recorded of vLLM 0.32 on a CPU. Here they tell
// of a start that is imitated (--startup-duration).

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "sdk/sampler.h"
#include "sdk/span_record.h"
#include "sdk/trace_context.h"

namespace spanloom::app {

// Whose spans they are.
enum class StartupProcess : uint8_t { kApiServer, kEngineCore, kWorker };
inline constexpr size_t kStartupProcesses = 3;

// The names of the scopes, in the order of SpanRecord::scope; the same for all processes.
[[nodiscard]] std::vector<std::string> StartupScopes();

// When it began and ended.
struct StartupTimes {
  int64_t begin_unix_ns = 0;
  int64_t end_unix_ns = 0;
};

// Makes the spans, in the order of their ends, below `parent` if it is valid, and hands each to the sink of its
// process.
void MakeStartupSpans(const StartupTimes& times, const sdk::TraceContext& parent, const sdk::Sampler& sampler, Rng rng,
                      const std::function<sdk::SpanSink&(StartupProcess)>& sink_of);

// traceparent and tracestate of the environment, in small letters or capitals: what starts the server may be in a
// trace.
[[nodiscard]] sdk::TraceContext StartupParent(
    const std::function<std::optional<std::string>(const std::string& name)>& look_up);

}  // namespace spanloom::app
