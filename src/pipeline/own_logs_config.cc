// SPDX-License-Identifier: Apache-2.0

#include "pipeline/own_logs_config.h"

#include <string_view>

#include "base/text.h"

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
  r.Unsupported("processors", "remove it; the log is not sent by OTLP. Let an agent read what output_paths names");
}

Status OwnLogsOptions::Validate() const {
  if (!level.empty()) RETURN_IF_ERROR(ParseLogLevel(level).status());
  RETURN_IF_ERROR(ParseLogFormat(encoding).status());
  if (output_paths.empty()) return absl::InvalidArgumentError("output_paths must name an output, such as stderr");
  if (!initial_fields) return absl::OkStatus();
  if (!initial_fields->is_map()) return absl::InvalidArgumentError("initial_fields must be a map");
  for (const auto& [name, source, value] : initial_fields->entries()) {
    if (value.is_scalar() || value.is_null()) continue;
    return absl::InvalidArgumentError(
        StrCat("initial_fields must have texts and numbers, and ", name, " is a ", config::TypeName(value)));
  }
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
    log.constants.fields.emplace_back(name, value.expanded_text().value_or(value.text()));
  }
  return log;
}

}  // namespace spanloom::pipeline
