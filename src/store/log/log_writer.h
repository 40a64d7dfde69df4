// SPDX-License-Identifier: Apache-2.0
//
// The writing end of the write-ahead log (docs/formats/log.md): what is acknowledged is here before it is anywhere
// else.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "store/disk/disk.h"
#include "store/log/log_format.h"

namespace spanloom::store::log {

struct LogOptions {
  uint64_t file_bytes_max = 64U << 20;  // a file is closed when it has reached this; guess
};

// The sequences that an Append used: one a payload, ascending by 1.
struct SequenceRange {
  uint64_t first = 0;
  uint64_t last = 0;
};

// Appends frames, forces them to the device, takes away what lies in segments. Holds no payload after a call returns.
// Thread-compatible: belongs to the log thread. Each call blocks on the disk.
//
// Failure. An Append that fails has added nothing, and the log can be used again: the file is cut back to its last
// whole frame or, if that fails too, left behind for a new one. So a full disk refuses, and accepts again when there is
// room. After a sync that failed nobody knows what of the file is safe, and the system may say yes to the next one
// without having written anything ("fsyncgate"). So the frames that it was to make safe are given up, the file is never
// written or synced again, and the next Append begins a new one. They are not written again: that would need all
// payloads since the last Sync in memory, for senders who are told to send again anyway. Sequences are not used twice,
// whatever happened.
class LogWriter {
 public:
  // Writes to `directory`, which must exist (and its name be synced), beginning with a new file at the first Append.
  // `end`: RecoveryReport::end. `disk` must outlive the writer.
  LogWriter(disk::Disk& disk, std::string directory, LogEnd end, LogOptions options = {});

  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;
  ~LogWriter() = default;  // closes; does not sync

  // Writes one frame a payload, in order, in as few system calls as it takes. At least one payload. Begins a new file
  // if the present one is full, after syncing that one. After an error none of them counts. Errors: kInvalidArgument if
  // a payload is longer than kPayloadBytesMax; kDataLoss if the present file had to be left and could not be synced:
  // then the frames since the last Sync are given up too, as after a Sync that failed; those of the disk.
  StatusOr<SequenceRange> Append(FrameKind kind, std::span<const Bytes> payloads);

  // Forces what was appended to the device. When it succeeds, all frames are safe that were appended since the last
  // failure, if any, was told. After an error all frames since the last success are given up: they may or may not be
  // found again, so refuse those that are not acknowledged, and flush the head if it holds some that are. Fails again
  // until the next Append.
  Status Sync();

  // Removes the files all of whose frames are <= `sequence`, the present one too (the next Append begins another). With
  // all frames in segments, pass last_sequence(). What can't be removed stays for the next time and does no harm.
  // Errors: those of the disk, after the other files have been tried.
  Status TrimTo(uint64_t sequence);

  // The highest sequence used, given up or not; 0 if none.
  [[nodiscard]] uint64_t last_sequence() const { return last_sequence_; }
  // Of the frames that Sync has made safe, the highest; every frame up to it is safe or was given up.
  [[nodiscard]] uint64_t synced_sequence() const { return synced_sequence_; }
  // Bytes written by this object since it was made, headers included.
  [[nodiscard]] uint64_t bytes_written() const { return bytes_written_; }

 private:
  // What is known of the end of the present file.
  enum class Tail {
    kWhole,    // ends with a whole frame
    kTorn,     // bytes of a frame that failed are behind the last whole one: sync it, append nothing
    kUnknown,  // a Sync failed: neither
  };

  // Makes the present file one that can be appended to.
  Status Prepare();
  // Syncs a file that nothing will be appended to.
  Status FinishFile();
  Status BeginFile();
  Status WriteFrames(FrameKind kind, std::span<const Bytes> payloads);
  // After a failed write: takes away what was written of it.
  void CutBack();
  [[nodiscard]] std::string PathOf(std::string_view name) const { return disk::Join(directory_, name); }

  disk::Disk& disk_;
  const std::string directory_;
  const LogOptions options_;

  std::unique_ptr<disk::File> file_;  // the present one; null: none yet, or trimmed
  std::string file_name_;
  uint64_t file_bytes_ = 0;     // up to the end of its last whole frame
  bool name_is_synced_ = true;  // of the present file
  Tail tail_ = Tail::kWhole;

  uint64_t last_sequence_;
  uint64_t appended_sequence_;  // of the last whole frame, given up or not
  uint64_t synced_sequence_;
  uint64_t bytes_written_ = 0;
  std::vector<char> headers_;            // [payloads of an Append][kFrameHeaderBytes]; kept for its memory
  std::vector<std::string_view> parts_;  // [2 * payloads]: header, payload; kept for its memory
};

}  // namespace spanloom::store::log
