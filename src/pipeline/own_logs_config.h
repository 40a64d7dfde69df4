// SPDX-License-Identifier: Apache-2.0
//
// service.telemetry.logs: what the process logs and where to, in the Collector's keys.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "config/options.h"
#include "pipeline/own_traces_config.h"
#include "sdk/tracing.h"

namespace spanloom::pipeline {

struct LogSamplingOptions {
  bool enabled = true;
  std::chrono::nanoseconds tick = LogSampling().tick;
  uint64_t initial = LogSampling().initial;
  uint64_t thereafter = LogSampling().thereafter;
  void Declare(config::OptionsReader& r);
};

// With the delay of OpenTelemetry's batches of log records.
struct OwnLogBatchOptions : OwnBatchOptions {
  OwnLogBatchOptions() { schedule_delay = 1'000; }
};

struct OwnLogProcessorOptions {
  std::optional<OwnLogBatchOptions> batch = {};
  std::optional<OwnSimpleOptions> simple = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
  [[nodiscard]] sdk::SpanRoute Route() const;
};

struct OwnLogsOptions {
  std::string level = "info";
  std::string encoding = "console";
  std::vector<std::string> output_paths = {"stderr"};
  bool disable_caller = false;
  bool disable_stacktrace = false;
  LogSamplingOptions sampling = {};
  std::optional<config::Node> initial_fields = {};
  std::vector<OwnLogProcessorOptions> processors = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;

  // What the log is to be; its resource is left to the caller. The options are valid.
  [[nodiscard]] LogOptions Config() const;
  // Where its lines are sent. The options are valid.
  [[nodiscard]] std::vector<sdk::SpanRoute> Routes() const;
};

}  // namespace spanloom::pipeline
