// SPDX-License-Identifier: Apache-2.0
//
// How exporters log what a destination says beside OK.

#pragma once

#include <string_view>

#include "base/log.h"
#include "otlp/partial_success.h"
#include "otlp/signal.h"
#include "pipeline/log_limiter.h"

namespace spanloom::pipeline {

// The Collector's name for items of `signal` that were not taken.
inline std::string_view DroppedItemsField(otlp::Signal signal) {
  switch (signal) {
    case otlp::Signal::kMetrics:
      return "dropped_data_points";
    case otlp::Signal::kLogs:
      return "dropped_log_records";
    case otlp::Signal::kTraces:
      break;
  }
  return "dropped_spans";
}

// In the Collector's words, at most as often as `limiter` says. Nothing if `partial` says nothing.
inline void LogPartialSuccess(std::string_view exporter, otlp::Signal signal, const otlp::PartialSuccess& partial,
                              LogLimiter& limiter) {
  if (partial.rejected_spans == 0 && partial.message.empty()) return;
  const auto spans = limiter.Admit(partial.rejected_spans);
  if (!spans) return;
  Log(LogLevel::kWarn, "Partial success response",
      {{"exporter", exporter},
       {"otelcol.signal", otlp::SignalText(signal)},
       {"message", partial.message},
       {DroppedItemsField(signal), *spans}});
}

}  // namespace spanloom::pipeline
