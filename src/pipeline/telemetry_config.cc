// SPDX-License-Identifier: Apache-2.0

#include "pipeline/telemetry_config.h"

#include <absl/strings/match.h>

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
      r.Unsupported(name, "remove it; the log goes to standard error");
    }
    r.Unsupported("sampling", "remove it; messages that repeat are limited where they are written");
    for (const char* name : {"disable_caller", "disable_stacktrace", "initial_fields", "processors"}) {
      r.Unsupported(name, "remove it; the log has neither callers nor stack traces, and is not exported");
    }
  }
  [[nodiscard]] Status Validate() const {
    RETURN_IF_ERROR(ParseLogLevel(level).status());
    return ParseLogFormat(encoding).status();
  }
};

struct MetricsOptions {
  std::string level = "normal";
  std::string address;
  void Declare(config::OptionsReader& r) {
    r.Field("level", level, "none switches the /metrics page off; basic, normal and detailed serve the same page.");
    r.Field("address", address, "Address of the /metrics page, HOST:PORT; port 8888 if it is left out.");
    r.Unsupported("readers", "write service.telemetry.metrics.address: HOST:8888 instead of a prometheus reader");
    r.Unsupported("views", "remove it; every metric is on the /metrics page");
  }
  [[nodiscard]] bool enabled() const { return !absl::EqualsIgnoreCase(level, "none"); }
  [[nodiscard]] Status Validate() const {
    for (const char* valid : {"none", "basic", "normal", "detailed"}) {
      if (absl::EqualsIgnoreCase(level, valid)) return absl::OkStatus();
    }
    return absl::InvalidArgumentError(StrCat("unknown level \"", level, "\" (valid: none, basic, normal, detailed)"));
  }
};

struct TelemetryOptions {
  LogsOptions logs;
  MetricsOptions metrics;
  OwnTracesOptions traces;
  void Declare(config::OptionsReader& r) {
    r.Field("logs", logs, "The log of this process.");
    r.Field("metrics", metrics, "The metrics of this process.");
    r.Field("traces", traces, "The spans that this process makes about itself.");
    r.Unsupported("resource", "remove service.telemetry.resource");
  }
};

}  // namespace

TelemetryConfig ReadTelemetry(const config::Node& node, std::string_view path, config::Problems& problems) {
  const size_t problems_before = problems.size();
  const auto options = config::ReadOptions<TelemetryOptions>(node, path, problems);
  TelemetryConfig telemetry;
  telemetry.log_level = ParseLogLevel(options.logs.level).value_or(telemetry.log_level);
  telemetry.log_format = ParseLogFormat(options.logs.encoding).value_or(telemetry.log_format);
  telemetry.metrics_enabled = options.metrics.enabled();
  telemetry.metrics_endpoint = options.metrics.address;
  if (problems.size() == problems_before) telemetry.traces = options.traces.Config();
  return telemetry;
}

std::vector<config::OptionDoc> DescribeTelemetry() {
  return config::DescribeOptions<TelemetryOptions>();
}

}  // namespace spanloom::pipeline
