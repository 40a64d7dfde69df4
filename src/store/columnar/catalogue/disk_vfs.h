// SPDX-License-Identifier: Apache-2.0
//
// The store's Disk as a file system of SQLite (sqlite3_vfs), so that what holds for the disk holds for the catalogue.

#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "store/disk/disk.h"

namespace spanloom::store::columnar::catalogue {

// Registered with SQLite under a name of its own for as long as it lives; it must outlive the connections that use it.
// Thread-compatible. Locks are granted without a look: the directory has one owner (store/data_dir.h), which has one
// connection. Temporary files are refused: the connection keeps them in memory.
class DiskVfs {
 public:
  explicit DiskVfs(disk::Disk& disk);
  DiskVfs(const DiskVfs&) = delete;
  DiskVfs& operator=(const DiskVfs&) = delete;
  ~DiskVfs();

  // What to pass to sqlite3_open_v2.
  [[nodiscard]] const std::string& name() const;

  // The last error of the disk since the previous call; OK if there was none. SQLite passes on numbers only.
  Status TakeError();

 private:
  struct Registration;

  std::unique_ptr<Registration> registration_;
};

}  // namespace spanloom::store::columnar::catalogue
