// SPDX-License-Identifier: Apache-2.0
//
// Spans (metric points, log records) that a component had answered OK for and then lost: counted by cause and logged,
// never silent.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/status.h"
#include "otlp/signal.h"
#include "pipeline/log_limiter.h"

namespace spanloom::pipeline {

// Causes that are no status code.
inline constexpr std::string_view kCauseShutdown = "shutdown";
inline constexpr std::string_view kCauseTooLarge = "too_large";  // the span alone, for its destination
inline constexpr std::string_view kCauseUnrouted = "unrouted";   // a connector that chooses knows no way for it

// "Unavailable", "InvalidArgument", ...: the words of the Collector's error_type.
[[nodiscard]] std::string_view CauseOf(const Status& status);

// Counts into spanloom_pipeline_dropped_spans{OWNER...,cause}, or what the signal has in place of spans. Thread-safe.
class DropCounter {
 public:
  // `owner`: who lost them, its kind and id first: {{"exporter", "otlp_grpc"}}, {{"processor", "batch"}, {"pipeline",
  // "traces"}}. References must outlive the counter.
  DropCounter(MetricLabels owner, MetricRegistry& metrics, const Clock& clock,
              otlp::Signal signal = otlp::Signal::kTraces);

  // `advice` is what the log line says to do; one line in ten seconds.
  void Count(uint64_t spans, const Status& status, std::string_view advice);
  // For those that log it themselves.
  void CountUnlogged(uint64_t spans, const Status& status) { CountCause(spans, CauseOf(status)); }
  void CountShutdown(uint64_t spans);
  void CountTooLarge(uint64_t spans) { CountCause(spans, kCauseTooLarge); }
  // Logged like Count.
  void CountUnrouted(uint64_t spans);

 private:
  void CountCause(uint64_t spans, std::string_view cause);

  const otlp::Signal signal_;
  const MetricLabels owner_;
  MetricRegistry& metrics_;
  LogLimiter limiter_;
};

}  // namespace spanloom::pipeline
