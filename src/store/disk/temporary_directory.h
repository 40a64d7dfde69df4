// SPDX-License-Identifier: Apache-2.0
//
// A directory on the machine's disk that goes with its owner.

#pragma once

#include <string>
#include <utility>

#include "base/status.h"

namespace spanloom::store::disk {

// Thread-compatible. Below the system's directory for temporary files ($TMPDIR, else /tmp), for this user alone.
class TemporaryDirectory {
 public:
  // Errors: those of store::FileError.
  static StatusOr<TemporaryDirectory> Make();

  TemporaryDirectory(TemporaryDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  // Removes it with all that is in it; what can't be removed stays.
  ~TemporaryDirectory();

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit TemporaryDirectory(std::string path) : path_(std::move(path)) {}

  std::string path_;  // empty: moved from
};

}  // namespace spanloom::store::disk
