// SPDX-License-Identifier: Apache-2.0
//
// The columns of the summary tables: what TraceColumn and RequestColumn mean of a row.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "store/request_row.h"
#include "store/trace_row.h"
#include "store/value.h"

namespace spanloom::store::scan {

// Appends the values of a column; none where it is not known. Text is borrowed from the row.
void AppendCells(const TraceRow& row, TraceColumn column, std::vector<Cell>& cells);
void AppendCells(const RequestRow& row, RequestColumn column, std::vector<Cell>& cells);

// What RowFilter::starts and the steps of groups are about.
[[nodiscard]] inline uint64_t StartOf(const TraceRow& row) {
  return row.start_unix_ns;
}
[[nodiscard]] inline uint64_t StartOf(const RequestRow& row) {
  return row.arrival_unix_ns;
}

[[nodiscard]] inline const otlp::TraceId& TraceIdOf(const TraceRow& row) {
  return row.id;
}
[[nodiscard]] inline const otlp::TraceId& TraceIdOf(const RequestRow& row) {
  return row.key.trace_id;
}

[[nodiscard]] inline otlp::SpanId SpanIdOf(const TraceRow&) {
  return {};
}
[[nodiscard]] inline otlp::SpanId SpanIdOf(const RequestRow& row) {
  return row.key.span_id;
}

// Bytes that order as the keys do.
[[nodiscard]] std::string KeyOf(const TraceRow& row);
[[nodiscard]] std::string KeyOf(const RequestRow& row);

// What a row takes of memory, about.
[[nodiscard]] size_t BytesOf(const TraceRow& row);
[[nodiscard]] size_t BytesOf(const RequestRow& row);

// For messages.
[[nodiscard]] std::string_view NameOf(TraceColumn column);
[[nodiscard]] std::string_view NameOf(RequestColumn column);

}  // namespace spanloom::store::scan
