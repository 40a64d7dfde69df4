// SPDX-License-Identifier: Apache-2.0
//
// A file system in memory that fails on command: for tests of what must survive full disks, broken disks, killed
// processes and power cuts. Everything it does follows from the calls and the seeds it is given.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/disk/disk.h"

namespace spanloom::store::disk {

// What an operation does instead of its work. A Sync that fails loses some of what it was to write, and later ones do
// not know of it.
enum class Fault {
  kIoError,      // EIO; nothing else happens
  kNoSpace,      // ENOSPC; nothing else happens
  kTornIoError,  // EIO after some of a write, of any length; as kIoError for what is no write
  kTornNoSpace,  // ENOSPC after some of a write; as kNoSpace for what is no write
};

struct SimulatedDiskOptions {
  uint64_t seed = 1;
  uint64_t capacity_bytes = uint64_t{1} << 40;  // what all files together may hold; what exceeds it is ENOSPC
  // False: a disk that lies. Sync and SyncDirectory succeed and make nothing safe.
  bool sync_is_honest = true;
};

// Thread-safe. Must outlive its files. The directory "/" is there; others are created.
//
// It counts changes (Open that creates, WriteAt, Append, Sync, Truncate, Rename, Remove, Link, CreateDirectory,
// SyncDirectory) and reads (all other calls) from 0, so that a test can fail or stop at each one in turn.
class SimulatedDisk final : public Disk {
 public:
  explicit SimulatedDisk(SimulatedDiskOptions options = {});
  ~SimulatedDisk() override;

  // Changes (reads) number `at` to `at` + `times` - 1 fail.
  void FailChanges(uint64_t at, Fault fault, uint64_t times = 1);
  void FailReads(uint64_t at, uint64_t times = 1);  // EIO
  // The process ends in change number `at`: it happens, or not, or in part, and everything after it fails (kAborted)
  // without an effect.
  void CrashAtChange(uint64_t at);
  void SetCapacity(uint64_t capacity_bytes);

  [[nodiscard]] uint64_t changes() const;
  [[nodiscard]] uint64_t reads() const;
  [[nodiscard]] bool has_crashed() const;

  // The disk as the next process finds it: all that was written, safe or not. Without faults; counts from 0.
  [[nodiscard]] std::unique_ptr<SimulatedDisk> AfterKill() const;

  // The disk as it may be after a power cut: what was synced and, of the rest, what `seed` decides (SimulatedFile,
  // SimulatedNames). Without faults; counts from 0; all that is left is safe.
  [[nodiscard]] std::unique_ptr<SimulatedDisk> AfterPowerLoss(uint64_t seed) const;

  // The content of a file as it is seen, and a change to it from outside, which is safe. For tests of damage. CHECK
  // that the file is there.
  [[nodiscard]] std::string Content(const std::string& path) const;
  void SetContent(const std::string& path, std::string_view content);

  StatusOr<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override;
  StatusOr<bool> Exists(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Status Link(const std::string& existing, const std::string& added) override;
  Status CreateDirectory(const std::string& path) override;
  StatusOr<std::vector<std::string>> List(const std::string& directory) override;
  Status SyncDirectory(const std::string& directory) override;
  StatusOr<uint64_t> FreeBytes(const std::string& directory) override;

 private:
  struct State;
  class OpenFile;

  std::unique_ptr<State> state_;
};

}  // namespace spanloom::store::disk
