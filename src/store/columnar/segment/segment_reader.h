// SPDX-License-Identifier: Apache-2.0
//
// Reads traces and spans back from a segment file.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "otlp/ids.h"
#include "store/columnar/disk/disk.h"
#include "store/columnar/segment/segment_index.h"
#include "store/span.h"
#include "store/trace_row.h"

namespace spanloom::store::columnar {

// Where a trace stands in a segment. A value.
struct TracePlace {
  uint64_t number = 0;  // of the trace, in the order of rows
  uint64_t first_row = 0;
  uint64_t first_pool = 0;  // its first pool entry
  TraceEntry entry;

  [[nodiscard]] uint64_t rows() const { return entry[TraceSlot::kRows]; }
  [[nodiscard]] uint64_t start_unix_ns() const { return entry[TraceSlot::kStart]; }
  [[nodiscard]] otlp::TraceId id() const;
};

// Thread-safe: immutable but for the file's position, which it does not use. Blocks on the disk. Errors of every call:
// kDataLoss, naming the block, if the file is not what was written; those of the disk.
class SegmentReader {
 public:
  static StatusOr<std::unique_ptr<const SegmentReader>> Open(std::unique_ptr<disk::File> file);

  [[nodiscard]] const SegmentIndex& index() const { return *index_; }

  // The trace with that id; nullopt if there is none. O(log traces) small reads at worst.
  [[nodiscard]] StatusOr<std::optional<TracePlace>> Find(const otlp::TraceId& id) const;

  // A trace by its number.
  [[nodiscard]] StatusOr<TracePlace> TraceAt(uint64_t number) const;
  // All traces of a chunk.
  [[nodiscard]] StatusOr<std::vector<TracePlace>> TracesOf(const TraceChunkRef& chunk) const;

  // The spans of a trace, in its order, as they were added.
  [[nodiscard]] StatusOr<std::vector<StoredSpan>> ReadSpans(const TracePlace& trace) const;

  // The row of the trace table.
  [[nodiscard]] StatusOr<TraceRow> RowOf(const TracePlace& trace) const;

 private:
  SegmentReader(std::unique_ptr<disk::File> file, std::unique_ptr<const SegmentIndex> index)
      : file_(std::move(file)), index_(std::move(index)) {}

  StatusOr<otlp::TraceId> IdAt(uint64_t number) const;

  const std::unique_ptr<disk::File> file_;
  const std::unique_ptr<const SegmentIndex> index_;
};

}  // namespace spanloom::store::columnar
