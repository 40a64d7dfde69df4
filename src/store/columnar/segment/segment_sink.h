// SPDX-License-Identifier: Apache-2.0
//
// The end of a segment file that is being written: appends blocks and says where they lie.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "store/disk/disk.h"

namespace spanloom::store::columnar {

// Where bytes lie in a segment, with the checksum of what is stored.
struct BlockRef {
  uint64_t offset = 0;
  uint64_t bytes = 0;
  uint32_t crc = 0;

  // True if all of it is among the first `file_bytes` of the file.
  [[nodiscard]] bool LiesWithin(uint64_t file_bytes) const {
    return offset <= file_bytes && bytes <= file_bytes - offset;
  }

  friend bool operator==(const BlockRef&, const BlockRef&) = default;
};

// Thread-compatible. The first error of the file stays, and nothing is written after it: a caller asks once, at the
// end. Buffers up to kBufferBytes.
class SegmentSink {
 public:
  explicit SegmentSink(disk::File& file) : file_(file) {}

  BlockRef Append(std::string_view block);
  // The same for a block whose parts have checksums of their own: it has none. Returns where it lies.
  uint64_t AppendParts(std::string_view block);
  [[nodiscard]] uint64_t offset() const { return offset_; }

  // Writes what is buffered.
  Status Flush();

 private:
  static constexpr size_t kBufferBytes = 1 << 20;  // guess

  disk::File& file_;
  std::string buffer_;
  uint64_t offset_ = 0;
  Status status_;
};

}  // namespace spanloom::store::columnar
