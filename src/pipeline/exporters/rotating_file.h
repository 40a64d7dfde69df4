// SPDX-License-Identifier: Apache-2.0
//
// A file that grows by whole records, and that is put aside under another name when it is large enough; the oldest of
// those go. The names are those of the Collector's file exporter: "spans-2026-11-26T14-05-09.123.json". Their times
// only grow, even if the clock is set back: so the newest is always the last, and none takes another's name.

#pragma once

#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/status.h"

namespace spanloom::pipeline {

// What errno says of what was tried with `path`: kUnavailable, "cannot open /x: No space left on device"; or
// kFailedPrecondition, if it will not go better by itself, since the path is none of a file.
[[nodiscard]] Status FileError(std::string_view what, const std::string& path);

struct RotationLimits {
  size_t bytes_max = 0;     // of one file; a record that alone is larger is a file of its own
  int64_t age_max_ns = 0;   // of those that were put aside; 0: they stay
  size_t backups_max = 0;   // how many of those stay; 0: all
  bool local_time = false;  // in their names; else UTC
};

// Thread-compatible; every call may block on the disk.
class RotatingFile {
 public:
  // `clock` must outlive it. `limits` unset: it is never put aside.
  RotatingFile(std::string path, std::optional<RotationLimits> limits, const Clock& clock);
  ~RotatingFile();
  RotatingFile(const RotatingFile&) = delete;
  RotatingFile& operator=(const RotatingFile&) = delete;

  // Opens the file, and makes it if it is not there; what is in it stays if `keeps`, or if it may be put aside. Errors
  // name the path.
  Status Open(bool keeps);

  // Puts the open file aside if there is something in it; without limits it is left as it is. Errors: FileError.
  Status PutAsideWhatIsThere();

  // Appends `record`, all of it or nothing: what a full disk left of it is cut off again. Puts the file aside before,
  // if it would become too large. Errors: FileError; after kUnavailable the next try may succeed.
  Status Append(std::string_view record);

 private:
  [[nodiscard]] Status ErrorOf(std::string_view what) const;
  Status OpenFile(int flags);
  Status PutAside();
  void RemoveOld() const;
  using Backups = std::vector<std::pair<absl::Time, std::filesystem::path>>;
  [[nodiscard]] Backups FindBackups() const;  // newest first
  [[nodiscard]] std::filesystem::path BackupPath() const;

  const std::filesystem::path path_;
  const std::optional<RotationLimits> limits_;
  const Clock& clock_;
  int descriptor_ = -1;
  size_t size_ = 0;
};

}  // namespace spanloom::pipeline
