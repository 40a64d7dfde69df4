// SPDX-License-Identifier: Apache-2.0
//
// The process log: one line per event on standard error, or where it is told to go, as text or JSON. A line for a
// problem says what happened, to which component, at which limit, and what to do next. No secrets: header values and
// bodies are never logged.

#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log_line.h"
#include "base/log_sampler.h"
#include "base/status.h"

namespace spanloom {

struct LogOptions {
  LogFormat format = LogFormat::kText;
  LogLevel level = LogLevel::kInfo;                    // lines below are not written
  std::vector<std::string> outputs = {"stderr"};       // "stderr", "stdout", or a file's path; each gets every line
  LogConstants constants = {};                         // of every line
  std::optional<LogSampling> sampling = std::nullopt;  // nullopt: every line is written
};

// Goes over to `options` from the next line on; files are appended to, and made if need be. Thread-safe. An error, and
// the log as it was, if a file cannot be opened: kPermissionDenied, kNotFound (its directory) and the like, naming it.
Status ConfigureLog(const LogOptions& options);

// The same with all else as in the defaults.
void ConfigureLog(LogFormat format, LogLevel level);

// Opens the files again by their names: after they were moved away, as logs are rotated. A file that cannot be opened
// goes on as it was, with a line that says so. Thread-safe.
void ReopenLog();

// Writes a line about what sampling left out in a tick that is over, or in any if `in_haste`, as at the end of the
// process; without it that line is written before the next one. To be called now and then. Thread-safe.
void SettleLog(bool in_haste = false);

// "debug", "info", "warn" or "error", in any case. kInvalidArgument names the allowed values.
StatusOr<LogLevel> ParseLogLevel(std::string_view text);

// "text" or "json" ("console" is taken as text: the Collector's word). kInvalidArgument names the allowed values.
StatusOr<LogFormat> ParseLogFormat(std::string_view text);

// True if a line of this level would be written, but for sampling.
[[nodiscard]] bool LogEnabled(LogLevel level);

// Writes one line, unless sampling leaves it out. Thread-safe; never throws; a line longer than 8 KiB is cut.
void Log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});

// The same past the sampling: for those whose lines are what they are asked for, or who sample themselves.
void LogUnsampled(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});

}  // namespace spanloom
