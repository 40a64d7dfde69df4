// SPDX-License-Identifier: Apache-2.0
//
// A trace's row as it stands in a segment, without a copy: what filters and groups look at (scan/row_columns.h has the
// same functions for rows).

#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "store/columnar/segment/segment_reader.h"
#include "store/columnar/segment/trace_place.h"
#include "store/trace_row.h"
#include "store/value.h"

namespace spanloom::store::columnar {

// Place and reader must outlive it, and what is taken from it.
struct TraceRowView {
  const TracePlace& place;
  const SegmentReader& reader;

  [[nodiscard]] const TraceSummary& summary() const {
    return reader.index().summaries()[place.entry[TraceSlot::kSummary]];
  }
  [[nodiscard]] std::string_view id() const {
    static_assert(static_cast<size_t>(TraceSlot::kIdLow) == 0 && static_cast<size_t>(TraceSlot::kIdHigh) == 1);
    return {reinterpret_cast<const char*>(place.entry.values.data()), sizeof(otlp::TraceId)};
  }
};

// As numbers stand in cells.
[[nodiscard]] inline Cell ClampedCell(uint64_t value) {
  return Cell::Int(static_cast<int64_t>(std::min<uint64_t>(value, std::numeric_limits<int64_t>::max())));
}

void AppendCells(const TraceRowView& row, TraceColumn column, std::vector<Cell>& cells);

[[nodiscard]] inline uint64_t StartOf(const TraceRowView& row) {
  return row.place.start_unix_ns();
}
[[nodiscard]] inline otlp::TraceId TraceIdOf(const TraceRowView& row) {
  return row.place.id();
}
[[nodiscard]] inline otlp::SpanId SpanIdOf(const TraceRowView&) {
  return {};
}
[[nodiscard]] inline std::string KeyOf(const TraceRowView& row) {
  return std::string(row.id());
}

}  // namespace spanloom::store::columnar
