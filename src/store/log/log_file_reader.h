// SPDX-License-Identifier: Apache-2.0
//
// One file of the write-ahead log, read from its beginning to its first byte that is not part of a frame.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "store/disk/disk.h"
#include "store/log/log_format.h"
#include "store/log/log_reader.h"

namespace spanloom::store::log {

// Thread-compatible. Errors are those of the disk; bytes that are wrong are no error. Holds a buffer of kBufferBytes.
class LogFileReader {
 public:
  // Reads the header of a file, which must outlive the reader. What is appended later is not seen.
  static StatusOr<LogFileReader> Open(const disk::File& file);

  // Nullopt if it is cut short or damaged; frames can be read all the same.
  [[nodiscard]] const std::optional<FileHeader>& header() const { return header_; }

  // The next frame, if it is whole and its sequence lies in [at_least, below). Nullopt: the end of the file, or of what
  // can be read; why() tells.
  StatusOr<std::optional<LogFrame>> Next(uint64_t at_least, uint64_t below);

  // After Next returned nullopt: what is wrong at offset_bytes(); empty at the end of the file.
  [[nodiscard]] const std::string& why() const { return why_; }
  // Of the first byte that was not read as part of the header or a frame.
  [[nodiscard]] uint64_t offset_bytes() const { return offset_; }
  [[nodiscard]] uint64_t unread_bytes() const { return size_ - offset_; }
  // The highest synced sequence of the frames that Next returned; 0 if there were none.
  [[nodiscard]] uint64_t synced_sequence() const { return synced_sequence_; }

  // The highest synced sequence of the whole frames anywhere behind offset_bytes(), of those whose sequence lies in
  // [at_least, below); 0 if there are none. Takes time in proportion to the rest of the file; on a file that is made to
  // take longer it stops and returns the highest value there is.
  StatusOr<uint64_t> SyncedBehind(uint64_t at_least, uint64_t below);
  // The highest sequence of the frames that it found; 0 if there were none.
  [[nodiscard]] uint64_t last_behind() const { return last_behind_; }

 private:
  static constexpr size_t kBufferBytes = 256U << 10;  // guess

  LogFileReader(const disk::File& file, uint64_t size);

  // Up to `bytes` bytes of the file from `offset` on, at most kBufferBytes; fewer at the end of the file. Valid until
  // the next call.
  StatusOr<std::string_view> View(uint64_t offset, size_t bytes);
  // The payload at `offset`, of `bytes` bytes; shorter at the end of the file.
  StatusOr<std::string> Payload(uint64_t offset, uint32_t bytes);
  // The whole frame at `offset`; nullopt, and `why_` set, if there is none.
  StatusOr<std::optional<LogFrame>> FrameAt(uint64_t offset, uint64_t at_least, uint64_t below);
  [[nodiscard]] bool Refuse(std::string_view why);
  [[nodiscard]] bool IsPlausible(const FrameHeader& header, uint64_t offset, uint64_t at_least, uint64_t below);

  const disk::File* file_;
  uint64_t size_;
  uint64_t offset_ = 0;
  std::optional<FileHeader> header_;
  uint64_t synced_sequence_ = 0;
  uint64_t last_behind_ = 0;
  uint64_t frame_synced_sequence_ = 0;  // of the last whole frame that FrameAt found
  std::string why_;
  std::string buffer_;  // of the file, from buffer_offset_ on
  uint64_t buffer_offset_ = 0;
};

}  // namespace spanloom::store::log
