// SPDX-License-Identifier: Apache-2.0
//
// The service that OTLP requests are sent to, for both ends of it: its names, and what its answers over HTTP mean.
// Specification: OTLP 1.x, "OTLP/gRPC" and "OTLP/HTTP".

#pragma once

#include <string_view>

#include "base/status.h"

namespace spanloom::otlp {

inline constexpr std::string_view kTracesMethod =
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export";  // gRPC
inline constexpr std::string_view kTracesPath = "/v1/traces";       // HTTP, the default

// The error that an HTTP status other than 200 stands for, with `message`: kUnavailable for those after which the same
// may be sent again ("Retryable Response Codes": 429, 502, 503, 504), with the delay of `retry_after` (the field's
// value; seconds up to an hour, dates are not understood); kFailedPrecondition for all others.
[[nodiscard]] Status StatusOfHttpAnswer(int http_status, std::string_view message, std::string_view retry_after);

}  // namespace spanloom::otlp
