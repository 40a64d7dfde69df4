// SPDX-License-Identifier: Apache-2.0
//
// What a line of the process log looks like, as text and as JSON.

#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"

namespace spanloom {

enum class LogLevel { kDebug, kInfo, kWarn, kError };
enum class LogFormat { kText, kJson };

// One `key=value` of a line. The value is text already. Who a line is of, it says in the Collector's names: a key that
// is a kind of component ("receiver", "processor", "exporter", "connector", "extension") is written as
// otelcol.component.id and otelcol.component.kind, the key "pipeline" as otelcol.pipeline.id and otelcol.signal.
struct LogField {
  std::string_view key;
  std::string value;

  // Text, or any number that StrCat takes.
  template <typename Value>
  LogField(std::string_view field_key, const Value& field_value) : key(field_key), value(StrCat(field_value)) {}
};

// What every line has. Names and values in order.
struct LogConstants {
  std::vector<std::pair<std::string, std::string>> fields = {};
  std::vector<std::pair<std::string, std::string>> resource = {};  // of this process; in JSON, as one object
};

// "debug", "info", "warn" or "error".
[[nodiscard]] std::string_view LogLevelName(LogLevel level);

// One line, without the trailing newline. `unix_ns` is the time shown, in UTC.
std::string FormatLogLine(LogFormat format, LogLevel level, std::string_view message,
                          std::initializer_list<LogField> fields, int64_t unix_ns, const LogConstants& constants = {});

}  // namespace spanloom
