// SPDX-License-Identifier: Apache-2.0

#include "base/log_line.h"

#include <absl/algorithm/container.h>
#include <absl/functional/function_ref.h>
#include <absl/strings/ascii.h>
#include <absl/time/time.h>

#include <array>

#include "base/json_writer.h"
#include "base/log_lines.h"
#include "base/log_tap.h"

namespace spanloom {
namespace {

constexpr std::array<std::string_view, 5> kComponentKinds = {"receiver", "processor", "exporter", "connector",
                                                             "extension"};

std::string FormatTime(int64_t unix_ns) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::FromUnixNanos(unix_ns), absl::UTCTimeZone());
}

// Quoted only where a reader or a tool would split it wrongly.
void AppendTextValue(std::string_view value, std::string& line) {
  const bool plain = !value.empty() && absl::c_none_of(value, [](char c) { return c <= ' ' || c == '"' || c == '='; });
  if (plain) {
    AppendJsonEscaped(value, line);
    return;
  }
  line += '"';
  AppendJsonEscaped(value, line);
  line += '"';
}

// Line breaks are kept or escaped; what else could move a terminal's cursor is escaped.
void AppendMessage(std::string_view message, bool keeps_breaks, std::string& line) {
  if (!keeps_breaks) return AppendJsonEscaped(message, line);
  while (true) {
    const size_t end = message.find('\n');
    AppendJsonEscaped(message.substr(0, end), line);
    if (end == std::string_view::npos) return;
    line += '\n';
    message.remove_prefix(end + 1);
  }
}

std::string FormatText(LogLevel level, std::string_view message, std::initializer_list<LogField> fields,
                       int64_t unix_ns, const LogConstants& constants, bool keeps_breaks = false) {
  std::string line = FormatTime(unix_ns);
  StrAppend(line, " ", absl::AsciiStrToUpper(AbslView(LogLevelName(level))),
            level == LogLevel::kInfo || level == LogLevel::kWarn ? "  " : " ");
  AppendMessage(message, keeps_breaks, line);
  const auto append = [&](std::string_view key, std::string_view value, bool) {
    line += ' ';
    AppendJsonEscaped(key, line);
    line += '=';
    AppendTextValue(value, line);
  };
  ForEachLogField(fields, append);
  for (const LogConstant& constant : constants.fields) append(constant.key, constant.text, false);
  return line;
}

std::string FormatJson(LogLevel level, std::string_view message, std::initializer_list<LogField> fields,
                       int64_t unix_ns, const LogConstants& constants) {
  std::string line;
  JsonWriter json(line);
  json.BeginObject();
  json.Field("level", LogLevelName(level));
  json.Field("ts", FormatTime(unix_ns));
  json.Field("msg", message);
  for (const LogConstant& constant : constants.fields) {
    json.Key(constant.key);
    json.Raw(constant.json);
  }
  if (!constants.resource.empty()) {
    json.Key("resource");
    json.BeginObject();
    for (const auto& [key, value] : constants.resource) json.Field(key, std::string_view(value));
    json.EndObject();
  }
  ForEachLogField(fields, [&](std::string_view key, std::string_view value, bool is_literal) {
    json.Key(key);
    is_literal ? json.Raw(value) : json.String(value);
  });
  json.EndObject();
  return line;
}

}  // namespace

void ForEachLogField(std::initializer_list<LogField> fields,
                     absl::FunctionRef<void(std::string_view key, std::string_view value, bool is_literal)> emit) {
  for (const LogField& field : fields) {
    const std::string_view value = field.value;
    if (absl::c_linear_search(kComponentKinds, field.key)) {
      emit("otelcol.component.id", value, false);
      emit("otelcol.component.kind", field.key, false);
    } else if (field.key == "pipeline") {
      emit("otelcol.pipeline.id", value, false);
      emit("otelcol.signal", value.substr(0, value.find('/')), false);
    } else {
      emit(field.key, value, field.is_literal);
    }
  }
}

std::string_view LogLevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarn:
      return "warn";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

std::string FormatLogLine(LogFormat format, LogLevel level, std::string_view message,
                          std::initializer_list<LogField> fields, int64_t unix_ns, const LogConstants& constants) {
  return format == LogFormat::kJson ? FormatJson(level, message, fields, unix_ns, constants)
                                    : FormatText(level, message, fields, unix_ns, constants);
}

std::string FormatLogLines(LogFormat format, LogLevel level, std::string_view text,
                           std::initializer_list<LogField> fields, int64_t unix_ns, const LogConstants& constants) {
  return format == LogFormat::kJson ? FormatJson(level, text, fields, unix_ns, constants)
                                    : FormatText(level, text, fields, unix_ns, constants, true);
}

}  // namespace spanloom
