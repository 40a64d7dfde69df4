// SPDX-License-Identifier: Apache-2.0
//
// The directory in which a store keeps its files: one process at a time, and known to be writable before data are
// promised to be kept there.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"

namespace spanloom::store {

// Where traces are kept when nobody says where: $XDG_DATA_HOME/spanloom, else $HOME/.local/share/spanloom (XDG Base
// Directory Specification 0.8). kFailedPrecondition, with the options that help, if neither variable is an absolute
// path.
[[nodiscard]] StatusOr<std::string> DefaultDataDir();

// Owns the directory for as long as it lives, through flock(2) on the file LOCK in it, which names the owner. The lock
// goes with the process, however that ends; the file stays. Thread-compatible.
class DataDir {
 public:
  // Creates `path` and its parents where they are missing (mode 0750), takes the lock and writes a file to see that it
  // can. Errors name the path, the reason and the next step: kFailedPrecondition if another process owns it,
  // kPermissionDenied, kResourceExhausted (disk full), kInvalidArgument (not a directory), kUnavailable.
  static StatusOr<DataDir> Take(const std::string& path, const Clock& clock);

  // Who owns the directory now, such as "process 4711, started 2026-01-02T03:04:05Z"; nullopt if nobody does. Changes
  // nothing. Errors: kPermissionDenied, kUnavailable.
  static StatusOr<std::optional<std::string>> OwnerOf(const std::string& path);

  DataDir(DataDir&& other) noexcept;
  DataDir& operator=(DataDir&&) = delete;
  ~DataDir();

  [[nodiscard]] const std::string& path() const { return path_; }
  // The path of a file in it.
  [[nodiscard]] std::string File(std::string_view name) const;

 private:
  DataDir(std::string path, int lock_descriptor);

  std::string path_;
  int lock_descriptor_ = -1;  // -1: moved from
};

}  // namespace spanloom::store
