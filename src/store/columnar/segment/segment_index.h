// SPDX-License-Identifier: Apache-2.0
//
// All that a segment says of itself but for values: columns, shapes, dictionaries, where pages and traces lie. Read
// once, when the segment is first asked for something.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "store/columnar/segment/packed.h"
#include "store/columnar/segment/page_ref.h"
#include "store/columnar/segment/segment_builder.h"
#include "store/columnar/segment/shape.h"
#include "store/columnar/segment/text_index.h"
#include "store/columnar/segment/text_pool_index.h"
#include "store/columnar/segment/trace_chunk.h"
#include "store/disk/disk.h"
#include "store/span.h"
#include "store/trace_row.h"

namespace spanloom::store::columnar {

// The part of a TraceRow that repeats from trace to trace.
struct TraceSummary {
  bool has_root = false;
  std::string_view root_service;
  std::string_view root_name;
  struct Service {
    std::string_view name;
    uint32_t spans = 0;
    uint32_t errors = 0;
  };
  std::vector<Service> services;
};

// Immutable. Views into what it owns.
class SegmentIndex {
 public:
  // Reads and checks all sections. Errors: those of ReadDirectory and ReadSection; kDataLoss, naming the section that
  // says what can't be.
  static StatusOr<std::unique_ptr<const SegmentIndex>> Read(const disk::File& file);

  SegmentIndex(const SegmentIndex&) = delete;
  SegmentIndex& operator=(const SegmentIndex&) = delete;

  [[nodiscard]] const SegmentTotals& totals() const { return totals_; }
  [[nodiscard]] const std::vector<ColumnKey>& columns() const { return columns_; }
  [[nodiscard]] const std::vector<Shape>& shapes() const { return shapes_; }
  // The numbers of those that rows have.
  [[nodiscard]] const std::vector<uint32_t>& shapes_in_use() const { return shapes_in_use_; }
  [[nodiscard]] const std::vector<std::shared_ptr<const SpanOrigin>>& origins() const { return origins_; }
  // The dictionary of a column; empty if it has none.
  [[nodiscard]] std::span<const std::string_view> Dictionary(uint32_t column) const;
  [[nodiscard]] const std::vector<PageRef>& pages() const { return pages_; }
  [[nodiscard]] const std::vector<TraceChunkRef>& trace_chunks() const { return trace_chunks_; }
  [[nodiscard]] const PoolIndex& pool() const { return pool_; }
  [[nodiscard]] const TextIndex& text_index() const { return text_index_; }
  [[nodiscard]] const std::vector<TraceSummary>& summaries() const { return summaries_; }
  // The number of the trace that stands at that place when all are sorted by id. Below totals().traces.
  [[nodiscard]] uint64_t TraceInOrder(uint64_t place) const { return UnpackOne(order_, order_payload_.data(), place); }

 private:
  SegmentIndex() = default;

  // Each reads a section whole; false if it says what can't be.
  bool ParseTotals(ByteReader& reader);
  bool ParseColumns(ByteReader& reader);
  bool ParseShapes(ByteReader& reader);
  bool ParseOrigins(ByteReader& reader);
  bool ParseTexts(ByteReader& reader);
  bool ParsePages(ByteReader& reader);
  void NoteShapes();
  bool ParseTraces(ByteReader& reader);
  bool ParseOrder(ByteReader& reader);
  bool ParsePool(ByteReader& reader);
  bool ParseTextIndex(ByteReader& reader);
  bool ParseSummaries(ByteReader& reader);

  uint64_t file_bytes_ = 0;
  SegmentTotals totals_;
  std::vector<ColumnKey> columns_;
  std::vector<Shape> shapes_;
  std::vector<uint32_t> shapes_in_use_;
  std::vector<std::shared_ptr<const SpanOrigin>> origins_;  // shared with spans that are handed out
  std::string texts_;                                       // what dictionaries_ view
  std::vector<std::vector<std::string_view>> dictionaries_;
  std::vector<PageRef> pages_;
  std::vector<TraceChunkRef> trace_chunks_;
  PackedSlice order_;
  std::string order_payload_;  // with slack
  PoolIndex pool_;
  TextIndex text_index_;
  std::string summary_texts_;  // what summaries_ view
  std::vector<TraceSummary> summaries_;
};

}  // namespace spanloom::store::columnar
