// SPDX-License-Identifier: Apache-2.0
//
// Puts messages together again from shape and values: what shredder.h took apart, byte for byte.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/columnar/segment/row_values.h"
#include "store/columnar/segment/shape.h"

namespace spanloom::store::columnar {

// A row of an event or a link: its shape, and a value for each of its slots.
struct ChildRow {
  const Shape* shape = nullptr;
  std::span<const SlotValue> values = {};
};

struct SpanRow {
  const Shape* shape = nullptr;
  // For each slot; that of a parent holds the parent's id, by row or not.
  std::span<const SlotValue> values = {};
  std::string_view trace_id = {};         // 16 bytes
  uint64_t trace_start = 0;               // as in ShredInput
  std::span<const ChildRow> events = {};  // as many as its runs say
  std::span<const ChildRow> links = {};
};

// Appends the Span message.
void Assemble(const SpanRow& row, const std::vector<ColumnKey>& columns, std::string& out);

// How many events and links a row of that shape has.
struct ChildCounts {
  uint64_t events = 0;
  uint64_t links = 0;
};
[[nodiscard]] ChildCounts CountChildren(const Shape& shape, std::span<const SlotValue> values);

}  // namespace spanloom::store::columnar
