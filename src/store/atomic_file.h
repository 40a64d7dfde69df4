// SPDX-License-Identifier: Apache-2.0
//
// A file that is there whole or not at all: written under a temporary name, forced to the disk, then renamed.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/status.h"

namespace spanloom::store {

// Thread-compatible; blocks on the disk. Without Commit, the destructor removes what was written and an earlier file of
// that name stays as it was. Errors name the path and the system's reason: kResourceExhausted if the disk is full,
// kUnavailable else; after one, only destroy it.
class AtomicFile {
 public:
  // Begins to write the file that will be `path`, as `path` + ".tmp" (replaced if it is left over from a crash).
  static StatusOr<AtomicFile> Create(std::string path);

  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();

  // Appends `content`; buffered by kBufferBytes.
  Status Append(std::string_view content);

  // Writes the rest, forces file and directory to the disk and gives the file its name.
  Status Commit() &&;

 private:
  static constexpr size_t kBufferBytes = 256U << 10;  // guess

  AtomicFile(std::string path, int descriptor);
  Status Flush();
  [[nodiscard]] std::string temporary_path() const { return path_ + ".tmp"; }

  std::string path_;
  std::string buffer_;
  int descriptor_ = -1;  // -1: committed, failed or moved from
};

// An error from errno: what could not be done, with which path, why. kResourceExhausted for a full disk or quota,
// kNotFound, kAlreadyExists, kPermissionDenied, else kUnavailable.
[[nodiscard]] Status FileError(std::string_view action, std::string_view path, int error_number);

// Forces the directory that holds `path` to the disk, so that a file created or renamed there stays.
Status SyncDirectoryOf(const std::string& path);

}  // namespace spanloom::store
