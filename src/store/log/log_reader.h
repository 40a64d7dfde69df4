// SPDX-License-Identifier: Apache-2.0
//
// The reading end of the write-ahead log (docs/formats/log.md): at start, what was appended and is not in a segment yet
// is read back; what can't be read is named and kept.

#pragma once

#include <absl/functional/function_ref.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "store/disk/disk.h"
#include "store/log/log_format.h"

namespace spanloom::store::log {

struct LogFrame {
  uint64_t sequence = 0;
  FrameKind kind = FrameKind::kSpans;
  Bytes payload;  // owned by the frame alone
};

// A file with bytes that were safe once and can't be read as frames any more.
struct LogDamage {
  std::string file;           // path in the log
  std::string kept_as;        // its second name, below damaged/; empty if that could not be given: `why` says so
  std::string why;            // what is wrong
  uint64_t offset_bytes = 0;  // of the first byte that is wrong
  uint64_t unread_bytes = 0;  // from there to the end of the file
};

// Sequences of frames that were safe once and can't be read, because of a damage or because a file is missing or cut.
struct LostFrames {
  uint64_t first_sequence = 0;
  uint64_t last_sequence = 0;  // inclusive. Sequences of failed appends may be among them: at most so many are lost
};

struct RecoveryReport {
  uint64_t files = 0;               // read
  uint64_t frames = 0;              // given to the caller
  uint64_t payload_bytes = 0;       // of these
  uint64_t frames_in_segments = 0;  // read and left out: not above `after_sequence`
  uint64_t tail_bytes = 0;          // left at the end of files by crashes and failed writes; never forced
  uint64_t tail_frames = 0;         // of which these are at most so many frames
  LogEnd end;                       // what a LogWriter goes on from
  std::vector<LogDamage> damaged;   // in the order of the log
  std::vector<LostFrames> lost;     // ascending

  // True if all that was ever safe was read, and is readable again.
  [[nodiscard]] bool IsComplete() const { return damaged.empty() && lost.empty(); }
};

// The files of a log as they are when they are opened, whoever appends to them or removes them meanwhile. Movable;
// immutable, and may be read from any thread.
class LogFiles {
 public:
  // A directory that is not there is an empty log. Errors: kNotFound, if the owner removes a file just now; those of
  // the disk.
  static StatusOr<LogFiles> Open(disk::Disk& disk, const std::string& directory);

  LogFiles(LogFiles&&) noexcept;
  ~LogFiles();

  struct Entry {
    std::string path;
    uint64_t first_sequence = 0;  // by its name
    std::unique_ptr<const disk::File> file;
  };
  // In the order of the log.
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

  // Calls `consume` with every whole frame above `after_sequence`, each once, in ascending order. A damaged file is
  // read up to the damage; then reading goes on with the next one. Changes nothing.
  //
  // Threads: the caller's. Memory: one frame, at most kPayloadBytesMax, and a buffer. No length is trusted beyond the
  // file's. Errors: what `consume` returns, as it is; kFailedPrecondition if a file was written by a newer version
  // (before any frame is consumed); those of the disk. After an error it can be called again.
  [[nodiscard]] StatusOr<RecoveryReport> Read(uint64_t after_sequence,
                                              absl::FunctionRef<Status(const LogFrame&)> consume) const;

 private:
  explicit LogFiles(std::vector<Entry> entries);

  std::vector<Entry> entries_;
};

// For the owner, at start: reads the log as LogFiles::Read does from `after_sequence` (the catalogue's log position)
// on, and syncs the last file, so that what was read is safe. Changes no file of the log: a damaged one gets a second
// name below `damaged_directory` (created if needed), so that it outlives the log. Errors: those of LogFiles.
StatusOr<RecoveryReport> RecoverLog(disk::Disk& disk, const std::string& directory,
                                    const std::string& damaged_directory, uint64_t after_sequence,
                                    absl::FunctionRef<Status(const LogFrame&)> consume);

}  // namespace spanloom::store::log
