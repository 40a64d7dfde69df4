// SPDX-License-Identifier: Apache-2.0
//
// The machine's file system, through the calls of POSIX.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "store/disk/disk.h"

namespace spanloom::store::disk {

// Immutable, hence thread-safe. Files are created with mode 0640, directories with 0750 (less the umask), both closed
// on exec. A write that the system did in part is continued; EINTR is tried again; Sync is fdatasync(2).
class PosixDisk final : public Disk {
 public:
  StatusOr<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override;
  StatusOr<bool> Exists(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Status Link(const std::string& existing, const std::string& added) override;
  Status CreateDirectory(const std::string& path) override;
  StatusOr<std::vector<std::string>> List(const std::string& directory) override;
  Status SyncDirectory(const std::string& directory) override;
  StatusOr<uint64_t> FreeBytes(const std::string& directory) override;
};

}  // namespace spanloom::store::disk
