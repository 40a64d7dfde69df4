// SPDX-License-Identifier: Apache-2.0
//
// What a line of the process log looks like, as text and as JSON.

#pragma once

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/text.h"

namespace spanloom {

enum class LogLevel { kDebug, kInfo, kWarn, kError };
enum class LogFormat { kText, kJson };

// One `key=value` of a line. The value is text already, and in JSON a number or truth value if it was one. Who a line
// is of, it says in the Collector's names: a key that is a kind of component ("receiver", "processor", "exporter",
// "connector", "extension") is written as otelcol.component.id and otelcol.component.kind, the key "pipeline" as
// otelcol.pipeline.id and otelcol.signal.
struct LogField {
  std::string_view key;
  std::string value;
  bool is_literal = false;  // in JSON it stands without quotes

  // Text, a truth value, or any number that StrCat takes.
  template <typename Value>
  LogField(std::string_view field_key, const Value& field_value) : key(field_key), value(StrCat(field_value)) {
    if constexpr (std::is_same_v<Value, bool>) value = field_value ? "true" : "false";
    if constexpr (std::is_floating_point_v<Value>) {
      is_literal = std::isfinite(field_value);
    } else {
      is_literal = std::is_arithmetic_v<Value>;
    }
  }
};

// A field that every line has.
struct LogConstant {
  std::string key = {};
  std::string text = {};
  std::string json = {};  // the same as a value of JSON
};

// What every line has. Names and values in order.
struct LogConstants {
  std::vector<LogConstant> fields = {};
  std::vector<std::pair<std::string, std::string>> resource = {};  // of this process; in JSON, as one object
};

// "debug", "info", "warn" or "error".
[[nodiscard]] std::string_view LogLevelName(LogLevel level);

// One line, without the trailing newline. `unix_ns` is the time shown, in UTC.
std::string FormatLogLine(LogFormat format, LogLevel level, std::string_view message,
                          std::initializer_list<LogField> fields, int64_t unix_ns, const LogConstants& constants = {});

}  // namespace spanloom
