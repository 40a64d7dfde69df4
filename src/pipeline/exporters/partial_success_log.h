// SPDX-License-Identifier: Apache-2.0
//
// How exporters log what a destination says beside OK.

#pragma once

#include <string_view>

#include "base/log.h"
#include "otlp/partial_success.h"
#include "pipeline/log_limiter.h"

namespace spanloom::pipeline {

// In the Collector's words, at most as often as `limiter` says. Nothing if `partial` says nothing.
inline void LogPartialSuccess(std::string_view exporter, const otlp::PartialSuccess& partial, LogLimiter& limiter) {
  if (partial.rejected_spans == 0 && partial.message.empty()) return;
  const auto spans = limiter.Admit(partial.rejected_spans);
  if (!spans) return;
  Log(LogLevel::kWarn, "Partial success response",
      {{"exporter", exporter}, {"message", partial.message}, {"dropped_spans", *spans}});
}

}  // namespace spanloom::pipeline
