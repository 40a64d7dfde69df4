// SPDX-License-Identifier: Apache-2.0
//
// The kinds of telemetry that OTLP carries. Spans are looked into; of metrics and logs only the frame is known, which
// is the same for all three: a request has resources (field 1), these scopes (2), and these the items (2).

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace spanloom::otlp {

enum class Signal : uint8_t { kTraces, kMetrics, kLogs };

inline constexpr std::array kSignals = {Signal::kTraces, Signal::kMetrics, Signal::kLogs};

// "traces": the type of its pipelines, and the last part of its path over HTTP.
constexpr std::string_view SignalText(Signal signal) {
  constexpr std::array<std::string_view, kSignals.size()> kTexts = {"traces", "metrics", "logs"};
  return kTexts[static_cast<size_t>(signal)];
}

// What is counted of it, as in names of metrics: "spans", "metric_points" (data points), "log_records".
constexpr std::string_view ItemsText(Signal signal) {
  constexpr std::array<std::string_view, kSignals.size()> kTexts = {"spans", "metric_points", "log_records"};
  return kTexts[static_cast<size_t>(signal)];
}

// The same in words: "metric points".
constexpr std::string_view ItemsWords(Signal signal) {
  constexpr std::array<std::string_view, kSignals.size()> kTexts = {"spans", "metric points", "log records"};
  return kTexts[static_cast<size_t>(signal)];
}

// Nullopt if there is no such signal.
constexpr std::optional<Signal> ParseSignal(std::string_view text) {
  for (const Signal signal : kSignals) {
    if (SignalText(signal) == text) return signal;
  }
  return std::nullopt;
}

}  // namespace spanloom::otlp
