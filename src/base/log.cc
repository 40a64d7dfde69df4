// SPDX-License-Identifier: Apache-2.0

#include "base/log.h"

#include <absl/base/thread_annotations.h>
#include <absl/strings/match.h>
#include <fcntl.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <utility>

#include "base/clock.h"
#include "base/log_lines.h"
#include "base/log_tap.h"
#include "base/mutex.h"
#include "base/text.h"

namespace spanloom {
namespace {

constexpr size_t kLineBytesMax = 8 << 10;
constexpr size_t kLinesBytesMax = 4 << 20;  // guess

std::atomic<LogLevel> log_level = LogLevel::kInfo;

// Whether `path` may be appended to; makes it. spdlog would make its directory too, and say less.
Status CheckFile(const std::string& path) {
  constexpr mode_t kMode = 0644;
  const int descriptor = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, kMode);
  if (descriptor < 0) return absl::ErrnoToStatus(errno, StrCat("cannot open the log file ", path));
  close(descriptor);
  return absl::OkStatus();
}

StatusOr<spdlog::sink_ptr> OpenOutput(const std::string& output) {
  if (output == "stderr") return std::make_shared<spdlog::sinks::stderr_sink_mt>();
  if (output == "stdout") return std::make_shared<spdlog::sinks::stdout_sink_mt>();
  RETURN_IF_ERROR(CheckFile(output));
  try {
    return std::make_shared<spdlog::sinks::basic_file_sink_mt>(output);
  } catch (const spdlog::spdlog_ex& error) {
    return absl::UnavailableError(error.what());
  }
}

// Who taps the log.
class CurrentTap {
 public:
  void Set(std::shared_ptr<const LogTap> tap) ABSL_LOCKS_EXCLUDED(mutex_) {
    is_set_ = tap != nullptr;
    const MutexLock lock(mutex_);
    tap_ = std::move(tap);
  }
  void Give(const LogLine& line) ABSL_LOCKS_EXCLUDED(mutex_) {
    if (!is_set_.load(std::memory_order_relaxed)) return;
    std::shared_ptr<const LogTap> tap;
    {
      const MutexLock lock(mutex_);
      tap = tap_;
    }
    if (tap != nullptr) (*tap)(line);
  }

 private:
  std::atomic<bool> is_set_ = false;
  Mutex mutex_;
  std::shared_ptr<const LogTap> tap_ ABSL_GUARDED_BY(mutex_);  // shared with lines under way
};

// Leaked on purpose, as the log is.
CurrentTap& Tap() {
  static auto* const tap = new CurrentTap;
  return *tap;
}

// A log as it is set up. Immutable but for the sampler; its sinks serialise lines.
class OpenLog {
 public:
  OpenLog(LogOptions options, std::vector<spdlog::sink_ptr> sinks)
      : options_(std::move(options)), logger_("spanloom", sinks.begin(), sinks.end()) {
    logger_.set_pattern("%v");
    logger_.set_level(spdlog::level::trace);
    logger_.flush_on(spdlog::level::trace);
    if (options_.sampling) sampler_.emplace(*options_.sampling);
  }

  static StatusOr<std::shared_ptr<OpenLog>> Create(const LogOptions& options) {
    std::vector<spdlog::sink_ptr> sinks;
    for (const std::string& output : options.outputs) {
      ASSIGN_OR_RETURN(spdlog::sink_ptr sink, OpenOutput(output));
      sinks.push_back(std::move(sink));
    }
    return std::make_shared<OpenLog>(options, std::move(sinks));
  }

  [[nodiscard]] const LogOptions& options() const { return options_; }

  void Write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
    const int64_t now_unix_ns = Clock::System().UnixNs();
    Tap().Give({level, message, fields, now_unix_ns});
    std::string line = FormatLogLine(options_.format, level, message, fields, now_unix_ns, options_.constants);
    if (line.size() > kLineBytesMax) line.resize(kLineBytesMax);
    logger_.log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
  }

  void WriteLines(LogLevel level, std::string_view text, std::initializer_list<LogField> fields) {
    const int64_t now_unix_ns = Clock::System().UnixNs();
    Tap().Give({level, text, fields, now_unix_ns});
    std::string lines = FormatLogLines(options_.format, level, text, fields, now_unix_ns, options_.constants);
    if (lines.size() > kLinesBytesMax) lines.resize(kLinesBytesMax);
    logger_.log(spdlog::level::info, spdlog::string_view_t(lines.data(), lines.size()));
  }

  void WriteSampled(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
    const bool is_admitted = !sampler_ || sampler_->Admits(level, message, Clock::System().SteadyNs());
    Settle(false);
    if (is_admitted) Write(level, message, fields);
  }

  void Settle(bool in_haste) {
    if (!sampler_) return;
    const LogSampler::LeftOut left_out = sampler_->TakeLeftOut(Clock::System().SteadyNs(), in_haste);
    if (left_out.lines == 0) return;
    Write(LogLevel::kWarn, "lines that repeat were left out of the log",
          {{"lines", left_out.lines},
           {"messages", left_out.messages},
           {"advice", "set service.telemetry.logs.sampling to see more of them"}});
  }

 private:
  const LogOptions options_;
  spdlog::logger logger_;
  std::optional<LogSampler> sampler_;
};

// Which log there is now.
class CurrentLog {
 public:
  [[nodiscard]] std::shared_ptr<OpenLog> Get() ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(mutex_);
    return log_;
  }
  void Set(std::shared_ptr<OpenLog> log) ABSL_LOCKS_EXCLUDED(mutex_) {
    log_level = log->options().level;
    {
      const MutexLock lock(mutex_);
      log_.swap(log);
    }
    log->Settle(true);
  }

 private:
  Mutex mutex_;
  std::shared_ptr<OpenLog> log_ ABSL_GUARDED_BY(mutex_) = *OpenLog::Create({});  // shared with lines under way
};

// Leaked on purpose: other threads may log while the process ends.
CurrentLog& Current() {
  static auto* const current = new CurrentLog;
  return *current;
}

}  // namespace

Status ConfigureLog(const LogOptions& options) {
  ASSIGN_OR_RETURN(std::shared_ptr<OpenLog> log, OpenLog::Create(options));
  Current().Set(std::move(log));
  return absl::OkStatus();
}

void ConfigureLog(LogFormat format, LogLevel level) {
  // Standard error can always be opened.
  static_cast<void>(ConfigureLog({.format = format, .level = level}));
}

void ReopenLog() {
  const Status status = ConfigureLog(Current().Get()->options());
  if (status.ok()) return;
  Log(LogLevel::kError, "the log goes on in the files that were open",
      {{"error", StdView(status.message())}, {"advice", "make the file possible, then send SIGHUP again"}});
}

void SetLogTap(std::shared_ptr<const LogTap> tap) {
  Tap().Set(std::move(tap));
}

void SettleLog(bool in_haste) {
  Current().Get()->Settle(in_haste);
}

StatusOr<LogLevel> ParseLogLevel(std::string_view text) {
  for (const LogLevel level : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError}) {
    if (absl::EqualsIgnoreCase(AbslView(text), AbslView(LogLevelName(level)))) return level;
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
  if (LogEnabled(level)) Current().Get()->WriteSampled(level, message, fields);
}

void LogUnsampled(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  if (LogEnabled(level)) Current().Get()->Write(level, message, fields);
}

void LogLines(LogLevel level, std::string_view text, std::initializer_list<LogField> fields) {
  if (LogEnabled(level)) Current().Get()->WriteLines(level, text, fields);
}

}  // namespace spanloom
