// SPDX-License-Identifier: Apache-2.0
//
// Spans that all releases of llm-d share: vLLM's request span, the sidecar's HTTP server span, and the attributes of
// its prefill and decode steps.

#pragma once

#include "cli/tracegen/llmd_fleet.h"
#include "cli/tracegen/llmd_request.h"
#include "cli/tracegen/span_writer.h"
#include "otlp/ids.h"

namespace spanloom::cli::tracegen {

inline constexpr std::string_view kDecodeTarget = "localhost:8200";  // vLLM beside its sidecar
inline constexpr int64_t kDecodePort = 8200;
inline constexpr std::string_view kConnector = "nixlv2";

// Go's record of a handler that was cut off by its client.
inline constexpr std::string_view kAbortType = "*errors.errorString";
inline constexpr std::string_view kAbortMessage = "net/http: abort Handler";

// "10.244.3.17:8000", as the sidecar names the prefill pod.
std::string PrefillTarget(const Pod& pod);

// vLLM's `llm_request` of the prefill or the decode pod.
void WriteEngineSpan(TraceWriter& writer, const FleetEmitters& emitters, const Fleet& fleet, const LlmdRequest& request,
                     otlp::SpanId parent, const EngineTimes& times);

// The sidecar's SERVER span; returns its id. Writes the abort as Go does: an event, and no answer.
otlp::SpanId WriteProxyServerSpan(TraceWriter& writer, SpanOrigin origin, const LlmdRequest& request,
                                  otlp::SpanId parent);

// Writes attributes and outcome of the prefill step and ends `span`; returns its id. `request_id` is the sidecar's own.
otlp::SpanId EndPrefillStep(SpanWriter& span, const Fleet& fleet, const LlmdRequest& request,
                            std::string_view request_id);

// The same for the decode step, with the totals that the sidecar puts there.
otlp::SpanId EndDecodeStep(SpanWriter& span, const LlmdRequest& request, std::string_view request_id);

// Ends a sidecar span that covers the whole request: with an exception if the client went away.
otlp::SpanId EndProxySpan(SpanWriter& span, const LlmdRequest& request, const Interval& time);

// The id that the sidecar gives the request: a UUID of version 1, whose last digits are the pod's card address.
std::string SidecarRequestId(Rng& rng, const TraceWriter& writer, const Pod& decode_pod, const LlmdRequest& request);

}  // namespace spanloom::cli::tracegen
