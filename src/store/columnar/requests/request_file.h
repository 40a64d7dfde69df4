// SPDX-License-Identifier: Apache-2.0
//
// The file of a segment's request rows, as it is read. It is derived data: what is wrong with it costs time, never an
// answer. Format: docs/formats/requests.md.

#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "store/columnar/requests/request_chunk.h"
#include "store/disk/disk.h"

namespace spanloom::store::columnar {

// Which segment, as the catalogue has it. A value.
struct SegmentIdentity {
  uint64_t id = 0;
  uint64_t bytes = 0;
  uint64_t spans = 0;
  uint64_t traces = 0;
  friend bool operator==(const SegmentIdentity&, const SegmentIdentity&) = default;
};

// What a file says of itself. A value.
struct RequestFileIndex {
  SegmentIdentity segment = {};
  uint32_t anatomy_version = 0;
  uint64_t derived_unix_ns = 0;
  std::vector<RequestChunkRef> chunks = {};  // of all traces, in order

  [[nodiscard]] uint64_t rows() const;
  [[nodiscard]] uint64_t uncovered() const;  // traces
};

// The name of the file beside that of the segment.
[[nodiscard]] std::string RequestFileName(uint64_t segment_id);

// Thread-safe. Blocks on the disk. Memory: 64 bytes for each 4,096 traces or rows.
class RequestFile {
 public:
  // Errors: kDataLoss (damaged, or of another segment), kFailedPrecondition (of another version of the format, or of
  // the anatomy, unless any is taken), those of the disk.
  static StatusOr<std::shared_ptr<const RequestFile>> Open(std::unique_ptr<disk::File> file,
                                                           const SegmentIdentity& segment,
                                                           std::optional<uint32_t> anatomy_version);

  [[nodiscard]] const RequestFileIndex& index() const { return index_; }
  // Errors: kDataLoss, those of the disk.
  [[nodiscard]] StatusOr<RequestChunk> ReadChunk(const RequestChunkRef& chunk) const;

  // It is to be written again.
  [[nodiscard]] bool is_damaged() const { return is_damaged_; }
  // To be told of damage. True the first time.
  bool NoteDamage() const { return !is_damaged_.exchange(true); }

 private:
  RequestFile(std::unique_ptr<disk::File> file, RequestFileIndex index)
      : file_(std::move(file)), index_(std::move(index)) {}

  const std::unique_ptr<disk::File> file_;
  const RequestFileIndex index_;
  mutable std::atomic<bool> is_damaged_ = false;
};

}  // namespace spanloom::store::columnar
