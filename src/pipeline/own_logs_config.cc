// SPDX-License-Identifier: Apache-2.0

#include "pipeline/own_logs_config.h"

#include <absl/algorithm/container.h>

#include <string_view>
#include <utility>

#include "base/text.h"
#include "config/print.h"

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kFileScheme = "file://";

// "stderr", "stdout", a path, or "file:///path".
Status CheckOutput(const std::string& output) {
  if (output.empty()) return absl::InvalidArgumentError("an empty path is no output");
  const size_t scheme = output.find("://");
  if (scheme == std::string::npos || output.starts_with("file:///")) return absl::OkStatus();
  return absl::InvalidArgumentError(
      StrCat("\"", output, "\" is no output; write stderr, stdout, a path or file:///PATH"));
}

}  // namespace

void LogSamplingOptions::Declare(config::OptionsReader& r) {
  r.Field("enabled", enabled, "Whether lines that repeat are left out.");
  r.Field("tick", tick, "How long lines of one message and level are counted together.",
          {.min = std::chrono::milliseconds(1)});
  r.Field("initial", initial, "Lines of one message that are written in a tick before some are left out.",
          {.min = 0, .unit = "lines"});
  r.Field("thereafter", thereafter,
          "Of those that follow in that tick, one in so many is written; 0 means none. A line at the end of the tick "
          "says how many were left out.",
          {.min = 0, .unit = "lines"});
}

void OwnLogProcessorOptions::Declare(config::OptionsReader& r) {
  r.Field("batch", batch, "Collects lines and sends them together.");
  r.Field("simple", simple, "Sends each line for itself, one after the other; up to 2048 wait.");
}

Status OwnLogProcessorOptions::Validate() const {
  if (batch.has_value() + simple.has_value() == 1) return absl::OkStatus();
  return absl::InvalidArgumentError("must name one processor (valid: batch, simple)");
}

sdk::SpanRoute OwnLogProcessorOptions::Route() const {
  sdk::SpanRoute route =
      RouteOf(batch ? batch->exporter : simple->exporter, batch ? &*batch : nullptr, otlp::Signal::kLogs);
  route.batch.configured_by = "service.telemetry.logs";
  return route;
}

void OwnLogsOptions::Declare(config::OptionsReader& r) {
  r.Field("level", level, "Lowest level that is logged: debug, info, warn or error.");
  r.Field("encoding", encoding, "console (one line of text) or json.");
  r.Field("output_paths", output_paths,
          "Where every line goes: stderr, stdout, or files, which are opened again at SIGHUP.", CheckOutput);
  r.Unsupported("error_output_paths", "remove it; what goes wrong with the log itself is written to standard error",
                "stderr");
  r.Field("disable_caller", disable_caller, "Lines have no place in the code, whatever is written here.");
  r.Field("disable_stacktrace", disable_stacktrace, "Lines have no stack traces, whatever is written here.");
  r.Field("sampling", sampling, "Which lines that repeat are left out.");
  r.Field("initial_fields", initial_fields, "Names and values that every line has.");
  r.Unsupported("disable_zap_resource", "remove it; each line says in resource which process wrote it", "false");
  r.Unsupported("development", "remove it; the log has no stack traces that it could add", "false");
  r.Field("processors", processors, "Where lines are sent beside output_paths, all to each of them.");
}

Status OwnLogsOptions::Validate() const {
  if (!level.empty()) RETURN_IF_ERROR(ParseLogLevel(level).status());
  RETURN_IF_ERROR(ParseLogFormat(encoding).status());
  if (output_paths.empty()) return absl::InvalidArgumentError("output_paths must name an output, such as stderr");
  if (!initial_fields) return absl::OkStatus();
  if (!initial_fields->is_map()) return absl::InvalidArgumentError("initial_fields must be a map");
  return absl::OkStatus();
}

LogOptions OwnLogsOptions::Config() const {
  LogOptions log;
  if (!level.empty()) log.level = *ParseLogLevel(level);  // else the default, as for the Collector
  log.format = *ParseLogFormat(encoding);
  log.outputs.clear();
  for (const std::string& output : output_paths) {
    log.outputs.push_back(output.starts_with(kFileScheme) ? output.substr(kFileScheme.size()) : output);
  }
  if (sampling.enabled) {
    log.sampling = LogSampling{.tick = sampling.tick, .initial = sampling.initial, .thereafter = sampling.thereafter};
  }
  if (!initial_fields) return log;
  for (const auto& [name, source, value] : initial_fields->entries()) {
    std::string json = ToJson(value, config::Secrets::kShown);
    json.pop_back();  // its newline
    std::string text = value.is_list() || value.is_map() ? json : value.text();
    log.constants.fields.push_back({.key = name, .text = std::move(text), .json = std::move(json)});
  }
  absl::c_sort(log.constants.fields, [](const LogConstant& a, const LogConstant& b) { return a.key < b.key; });
  return log;
}

std::vector<sdk::SpanRoute> OwnLogsOptions::Routes() const {
  std::vector<sdk::SpanRoute> routes;
  for (const OwnLogProcessorOptions& processor : processors) routes.push_back(processor.Route());
  return routes;
}

}  // namespace spanloom::pipeline
