// SPDX-License-Identifier: Apache-2.0
//
// For benchmarks: a directory on the machine's disk that goes with its owner.

#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/check.h"

namespace spanloom::store::columnar::disk {

// Thread-compatible. Below the system's directory for temporary files; stops the process if it can't be made.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    path_ = (std::filesystem::temp_directory_path() / "spanloom_bench_XXXXXX").string();
    CHECK(mkdtemp(path_.data()) != nullptr);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace spanloom::store::columnar::disk
