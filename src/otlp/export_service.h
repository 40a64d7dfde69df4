// SPDX-License-Identifier: Apache-2.0
//
// The service that OTLP requests are sent to, for both ends of it. Specification: OTLP 1.x, "OTLP/gRPC" and
// "OTLP/HTTP".

#pragma once

#include <string_view>

namespace spanloom::otlp {

inline constexpr std::string_view kTracesMethod =
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export";  // gRPC
inline constexpr std::string_view kTracesPath = "/v1/traces";       // HTTP, the default

}  // namespace spanloom::otlp
