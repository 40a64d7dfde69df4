// SPDX-License-Identifier: Apache-2.0

#include "base/log.h"

#include <absl/algorithm/container.h>
#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/time/time.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <cstddef>

#include "base/clock.h"
#include "base/json_writer.h"
#include "base/text.h"

namespace spanloom {
namespace {

constexpr size_t kLineBytesMax = 8 << 10;

std::atomic<LogFormat> log_format = LogFormat::kText;
std::atomic<LogLevel> log_level = LogLevel::kInfo;

std::string_view LevelName(LogLevel level) {
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

// The sink that serialises lines. Leaked on purpose: other threads may log while the process ends.
spdlog::logger& Sink() {
  static spdlog::logger* const logger = [] {
    auto* made = new spdlog::logger("spanloom", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->set_level(spdlog::level::trace);
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *logger;
}

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

std::string FormatText(LogLevel level, std::string_view message, std::initializer_list<LogField> fields,
                       int64_t unix_ns) {
  std::string line = FormatTime(unix_ns);
  StrAppend(line, " ", absl::AsciiStrToUpper(AbslView(LevelName(level))),
            level == LogLevel::kInfo || level == LogLevel::kWarn ? "  " : " ");
  AppendJsonEscaped(message, line);
  for (const LogField& field : fields) {
    StrAppend(line, " ", field.key, "=");
    AppendTextValue(field.value, line);
  }
  return line;
}

std::string FormatJson(LogLevel level, std::string_view message, std::initializer_list<LogField> fields,
                       int64_t unix_ns) {
  std::string line;
  JsonWriter json(line);
  json.BeginObject();
  json.Field("ts", FormatTime(unix_ns));
  json.Field("level", LevelName(level));
  json.Field("msg", message);
  for (const LogField& field : fields) json.Field(field.key, field.value);
  json.EndObject();
  return line;
}

}  // namespace

void ConfigureLog(LogFormat format, LogLevel level) {
  log_format = format;
  log_level = level;
}

StatusOr<LogLevel> ParseLogLevel(std::string_view text) {
  for (const LogLevel level : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError}) {
    if (absl::EqualsIgnoreCase(AbslView(text), AbslView(LevelName(level)))) return level;
  }
  return absl::InvalidArgumentError(
      StrCat("unknown log level \"", text, "\" (valid values: debug, info, warn, error)"));
}

StatusOr<LogFormat> ParseLogFormat(std::string_view text) {
  if (text == "text" || text == "console") return LogFormat::kText;
  if (text == "json") return LogFormat::kJson;
  return absl::InvalidArgumentError(StrCat("unknown log format \"", text, "\" (valid values: text, json)"));
}

bool LogEnabled(LogLevel level) {
  return level >= log_level.load(std::memory_order_relaxed);
}

void Log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  if (!LogEnabled(level)) return;
  std::string line = FormatLogLine(log_format, level, message, fields, Clock::System().UnixNs());
  if (line.size() > kLineBytesMax) line.resize(kLineBytesMax);
  Sink().log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

std::string FormatLogLine(LogFormat format, LogLevel level, std::string_view message,
                          std::initializer_list<LogField> fields, int64_t unix_ns) {
  return format == LogFormat::kJson ? FormatJson(level, message, fields, unix_ns)
                                    : FormatText(level, message, fields, unix_ns);
}

}  // namespace spanloom
