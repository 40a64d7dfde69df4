// SPDX-License-Identifier: Apache-2.0
//
// The process log: one line per event on standard error, as text or JSON. A line for a problem says what happened, to
// which component, at which limit, and what to do next. No secrets: header values and bodies are never logged.

#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/status.h"
#include "base/text.h"

namespace spanloom {

enum class LogLevel { kDebug, kInfo, kWarn, kError };
enum class LogFormat { kText, kJson };

// One `key=value` of a line. The value is text already.
struct LogField {
  std::string_view key;
  std::string value;

  // Text, or any number that StrCat takes.
  template <typename Value>
  LogField(std::string_view field_key, const Value& field_value) : key(field_key), value(StrCat(field_value)) {}
};

// Sets format and threshold; called once by main, before threads start. Default: text, info.
void ConfigureLog(LogFormat format, LogLevel level);

// "debug", "info", "warn" or "error", in any case. kInvalidArgument names the allowed values.
StatusOr<LogLevel> ParseLogLevel(std::string_view text);

// "text" or "json" ("console" is taken as text: the Collector's word). kInvalidArgument names the allowed values.
StatusOr<LogFormat> ParseLogFormat(std::string_view text);

// True if a line of this level would be written.
[[nodiscard]] bool LogEnabled(LogLevel level);

// Writes one line. Thread-safe; never throws; a line longer than 8 KiB is cut.
void Log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});

// Renders the line that Log would write, without the trailing newline. `unix_ns` is the time shown, in UTC.
std::string FormatLogLine(LogFormat format, LogLevel level, std::string_view message,
                          std::initializer_list<LogField> fields, int64_t unix_ns);

}  // namespace spanloom
