// SPDX-License-Identifier: Apache-2.0

#include "pipeline/telemetry_config.h"

#include "base/status.h"
#include "base/text.h"

namespace spanloom::pipeline {
namespace {

struct LogsOptions {
  std::string level = "info";
  std::string encoding = "console";
  void Declare(config::OptionsReader& r) {
    r.Field("level", level, "Lowest level that is logged: debug, info, warn or error.");
    r.Field("encoding", encoding, "console (one line of text) or json.");
    for (const char* name : {"output_paths", "error_output_paths"}) {
      r.Unsupported(name, "remove it; the log goes to standard error", "stderr");
    }
    r.Unsupported("sampling", "remove it; messages that repeat are limited where they are written");
    for (const char* name : {"disable_caller", "disable_stacktrace", "initial_fields", "processors"}) {
      r.Unsupported(name, "remove it; the log has neither callers nor stack traces, and is not exported", "false");
    }
  }
  [[nodiscard]] Status Validate() const {
    RETURN_IF_ERROR(ParseLogLevel(level).status());
    return ParseLogFormat(encoding).status();
  }
};

struct TelemetryOptions {
  LogsOptions logs;
  OwnMetricsOptions metrics;
  OwnTracesOptions traces;
  config::StringMap resource;
  void Declare(config::OptionsReader& r) {
    r.Field("logs", logs, "The log of this process.");
    r.Field("metrics", metrics, "The metrics of this process.");
    r.Field("traces", traces, "The spans that this process makes about itself.");
    r.Field("resource", resource,
            "Attributes of this process, as service.name; beside its own, which null takes away.");
  }
};

}  // namespace

TelemetryConfig ReadTelemetry(const config::Node& node, std::string_view path, config::Problems& problems) {
  const size_t problems_before = problems.size();
  const auto options = config::ReadOptions<TelemetryOptions>(node, path, problems);
  TelemetryConfig telemetry;
  telemetry.log_level = ParseLogLevel(options.logs.level).value_or(telemetry.log_level);
  telemetry.log_format = ParseLogFormat(options.logs.encoding).value_or(telemetry.log_format);
  telemetry.resource = options.resource;
  if (problems.size() > problems_before) return telemetry;
  telemetry.metrics_pages = options.metrics.Pages();
  telemetry.traces = options.traces.Config();
  return telemetry;
}

std::vector<config::OptionDoc> DescribeTelemetry() {
  return config::DescribeOptions<TelemetryOptions>();
}

}  // namespace spanloom::pipeline
