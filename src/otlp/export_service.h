// SPDX-License-Identifier: Apache-2.0
//
// The services that OTLP requests are sent to, for both ends of them. Specification: OTLP 1.x, "OTLP/gRPC" and
// "OTLP/HTTP".

#pragma once

#include <array>
#include <string_view>

#include "otlp/signal.h"

namespace spanloom::otlp {

inline constexpr std::string_view kTracesMethod =
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export";  // gRPC
inline constexpr std::string_view kTracesPath = "/v1/traces";       // HTTP, the default

constexpr std::string_view ExportMethod(Signal signal) {
  constexpr std::array<std::string_view, kSignals.size()> kMethods = {
      kTracesMethod, "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
      "/opentelemetry.proto.collector.logs.v1.LogsService/Export"};
  return kMethods[static_cast<size_t>(signal)];
}

constexpr std::string_view ExportPath(Signal signal) {
  constexpr std::array<std::string_view, kSignals.size()> kPaths = {kTracesPath, "/v1/metrics", "/v1/logs"};
  return kPaths[static_cast<size_t>(signal)];
}

}  // namespace spanloom::otlp
