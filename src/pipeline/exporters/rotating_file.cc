// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/rotating_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/text.h"

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kBackupTime = "%Y-%m-%dT%H-%M-%E3S";
constexpr absl::Duration kBackupTimeStep = absl::Milliseconds(1);  // what the names can tell apart
constexpr mode_t kMode = 0600;                                     // prompts may be in it; the Collector's

// The time in the name of a file that was put aside; nullopt if it is another file's.
std::optional<absl::Time> BackupTimeOf(std::string_view name, std::string_view stem, std::string_view extension,
                                       absl::TimeZone zone) {
  if (!name.starts_with(StrCat(stem, "-")) || !name.ends_with(extension)) return std::nullopt;
  if (name.size() < stem.size() + 1 + extension.size()) return std::nullopt;
  std::string time(name.substr(stem.size() + 1, name.size() - stem.size() - 1 - extension.size()));
  absl::Time parsed;
  if (!absl::ParseTime(AbslView(kBackupTime), time, zone, &parsed, nullptr)) return std::nullopt;
  return parsed;
}

absl::TimeZone ZoneOf(const RotationLimits& limits) {
  return limits.local_time ? absl::LocalTimeZone() : absl::UTCTimeZone();
}

}  // namespace

Status FileError(std::string_view what, const std::string& path) {
  const int code = errno;
  const bool is_no_file = code == EISDIR || code == ENOTDIR || code == ENAMETOOLONG || code == ELOOP;
  return Status(is_no_file ? absl::StatusCode::kFailedPrecondition : absl::StatusCode::kUnavailable,
                AbslView(StrCat("cannot ", what, " ", path, ": ", std::strerror(code))));
}

RotatingFile::RotatingFile(std::string path, std::optional<RotationLimits> limits, const Clock& clock)
    : path_(std::move(path)), limits_(limits), clock_(clock) {}

RotatingFile::~RotatingFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

Status RotatingFile::ErrorOf(std::string_view what) const {
  return FileError(what, path_.string());
}

Status RotatingFile::OpenFile(int flags) {
  descriptor_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | flags, kMode);
  if (descriptor_ < 0) return ErrorOf("open");
  struct stat found;
  if (fstat(descriptor_, &found) != 0) return ErrorOf("look at");
  size_ = static_cast<size_t>(found.st_size);
  return absl::OkStatus();
}

Status RotatingFile::Open(bool keeps) {
  return OpenFile(keeps || limits_ ? 0 : O_TRUNC);
}

Status RotatingFile::PutAsideWhatIsThere() {
  return limits_ && size_ > 0 ? PutAside() : absl::OkStatus();
}

Status RotatingFile::Append(std::string_view record) {
  if (descriptor_ < 0) RETURN_IF_ERROR(OpenFile(0));
  if (limits_ && size_ > 0 && size_ + record.size() > limits_->bytes_max) RETURN_IF_ERROR(PutAside());
  size_t written = 0;
  while (written < record.size()) {
    const ssize_t count = write(descriptor_, record.data() + written, record.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      Status status = ErrorOf("write to");
      if (written > 0 && ftruncate(descriptor_, static_cast<off_t>(size_)) != 0) {
        Log(LogLevel::kError, "what a failed write left in a file could not be cut off",
            {{"path", path_.string()}, {"bytes", written}});
        size_ += written;
      }
      return status;
    }
    written += static_cast<size_t>(count);
  }
  size_ += record.size();
  return absl::OkStatus();
}

std::filesystem::path RotatingFile::BackupPath() const {
  absl::Time now = absl::FromUnixNanos(clock_.UnixNs());
  if (const Backups backups = FindBackups(); !backups.empty()) now = std::max(now, backups[0].first + kBackupTimeStep);
  const std::string time = absl::FormatTime(AbslView(kBackupTime), now, ZoneOf(*limits_));
  return path_.parent_path() / StrCat(path_.stem().string(), "-", time, path_.extension().string());
}

Status RotatingFile::PutAside() {
  if (std::rename(path_.c_str(), BackupPath().c_str()) != 0) return ErrorOf("rename");
  close(std::exchange(descriptor_, -1));
  RETURN_IF_ERROR(OpenFile(0));
  RemoveOld();
  return absl::OkStatus();
}

RotatingFile::Backups RotatingFile::FindBackups() const {
  Backups backups;
  const std::filesystem::path directory = path_.has_parent_path() ? path_.parent_path() : ".";
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const auto time = BackupTimeOf(entry.path().filename().string(), path_.stem().string(), path_.extension().string(),
                                   ZoneOf(*limits_));
    if (time) backups.emplace_back(*time, entry.path());
  }
  std::sort(backups.begin(), backups.end(), std::greater<>());
  return backups;
}

void RotatingFile::RemoveOld() const {
  const Backups backups = FindBackups();
  std::error_code error;
  const absl::Time now = absl::FromUnixNanos(clock_.UnixNs());
  for (size_t i = 0; i < backups.size(); ++i) {
    const bool is_surplus = limits_->backups_max > 0 && i >= limits_->backups_max;
    const bool is_old = limits_->age_max_ns > 0 && now - backups[i].first > absl::Nanoseconds(limits_->age_max_ns);
    if ((is_surplus || is_old) && !std::filesystem::remove(backups[i].second, error)) {
      Log(LogLevel::kWarn, "an old file could not be removed",
          {{"path", backups[i].second.string()}, {"error", error.message()}});
    }
  }
}

}  // namespace spanloom::pipeline
