// SPDX-License-Identifier: Apache-2.0
//
// The request rows of some traces that stand side by side in a segment, as columns. Format: docs/formats/requests.md,
// "Chunks".

#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "store/columnar/requests/request_columns.h"
#include "store/columnar/segment/byte_reader.h"
#include "store/columnar/segment/segment_layout.h"
#include "store/columnar/segment/segment_sink.h"
#include "store/columnar/segment/trace_place.h"
#include "store/request_row.h"

namespace spanloom::store::columnar {

inline constexpr uint32_t kRequestChunkRows = 4096;  // guess

// What the index of a file says of a chunk. A value.
struct RequestChunkRef {
  uint64_t first_trace = 0;  // number
  uint32_t traces = 0;       // [1, kChunkTraces], of one chunk of the trace table
  uint32_t rows = 0;         // [0, kRequestChunkRows]
  uint32_t uncovered = 0;    // traces
  uint64_t first_arrival_unix_ns = 0;
  uint64_t last_arrival_unix_ns = 0;
  BlockRef block;
};

// Collects the rows of one chunk. Thread-compatible.
class RequestChunkBuilder {
 public:
  // The next trace is not covered.
  void AddUncovered();
  // The next trace has these rows.
  void Add(const TracePlace& trace, std::span<const PlacedRow> rows);

  [[nodiscard]] uint32_t traces() const { return static_cast<uint32_t>(coverage_.size()); }
  [[nodiscard]] uint32_t rows() const { return static_cast<uint32_t>(codes_.size()); }

  // The block, and what the index is to say of it but where it lies. Begins again with the trace behind the last one.
  [[nodiscard]] std::string Take(RequestChunkRef& ref);

 private:
  uint64_t CodeOf(RequestShape shape);
  uint64_t TextOf(const std::string& text);

  RequestChunkRef ref_;
  std::vector<uint64_t> coverage_;  // [traces]
  std::vector<uint64_t> shapes_;
  std::vector<uint64_t> codes_;  // [rows], in shapes_
  std::vector<std::string> texts_;
  absl::flat_hash_map<std::string, uint64_t> text_numbers_;
  std::array<std::vector<uint64_t>, kRequestSlots> columns_;
};

// One that was read. Immutable.
class RequestChunk {
 public:
  // kDataLoss if the block says what can't be.
  static StatusOr<RequestChunk> Parse(Block block, const RequestChunkRef& ref);

  // `trace`: counted from the first one of the chunk.
  [[nodiscard]] bool IsCovered(size_t trace) const { return first_rows_[trace] != kUncovered; }
  // Of a trace that is covered: rows [first, second).
  [[nodiscard]] std::pair<uint32_t, uint32_t> RowsOf(size_t trace) const {
    return {first_rows_[trace], first_rows_[trace] + counts_[trace]};
  }

  // Where the key's span stands among the rows of its trace, not checked against these; nullopt if the row itself has
  // the id.
  [[nodiscard]] std::optional<uint64_t> PlaceOf(uint32_t row) const;
  // The row, without the anatomy's version, and without a span id if it has a place. `trace` is where its spans are.
  void Fill(uint32_t row, const TracePlace& trace, RequestRow& out) const;

 private:
  static constexpr uint32_t kUncovered = 0xffff'ffff;

  bool ParseCoverage(const RequestChunkRef& ref, ByteReader& reader);
  bool ParseShapes(uint32_t rows, ByteReader& reader);
  bool ParseTexts(ByteReader& reader);
  bool ParseColumn(size_t slot, ByteReader& reader);

  Block block_;                       // what texts_ view
  std::vector<uint32_t> first_rows_;  // [traces]; kUncovered
  std::vector<uint32_t> counts_;      // [traces]
  std::vector<uint64_t> shapes_;
  std::vector<uint64_t> codes_;  // [rows], in shapes_
  std::vector<std::string_view> texts_;
  std::array<std::vector<uint64_t>, kRequestSlots> columns_;  // [rows] each, 0 where a row has none; or empty
};

}  // namespace spanloom::store::columnar
