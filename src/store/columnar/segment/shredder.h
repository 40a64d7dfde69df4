// SPDX-License-Identifier: Apache-2.0
//
// Takes spans apart into shape and values ("record shredding": Melnik et al., "Dremel", VLDB 2010). assembler.h puts
// them together again.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "otlp/wire/cursor.h"
#include "store/columnar/segment/row_values.h"
#include "store/columnar/segment/shape_table.h"

namespace spanloom::store::columnar {

// What a span is, beside its own bytes.
struct ShredInput {
  std::string_view wire;          // Span message; passed ValidateTraces
  std::string_view trace_id;      // of its trace, 16 bytes
  uint64_t trace_start = 0;       // first start of the trace's rows, Unix ns
  uint64_t start = 0;             // of the span
  uint32_t origin = 0;            // number of its origin
  std::optional<int64_t> parent;  // its row less its parent's; nullopt if there is no such row. Never 0
};

// Where the rows of a page are collected. [RowTable]
using PageRows = std::array<RowValues, kRowTables>;

// Thread-compatible.
class Shredder {
 public:
  explicit Shredder(ShapeTable& shapes) : shapes_(shapes) {}

  // Adds the span and its events and links to `rows`, whose values borrow from the wire. About 0.3 µs for a span with
  // 14 attributes.
  void Shred(const ShredInput& input, PageRows& rows);

 private:
  using NodeId = ShapeTable::NodeId;
  // A message's place in the tree of shapes, and its values so far.
  struct Walk {
    RowTable table = RowTable::kSpans;
    NodeId node = ShapeTable::kNone;
    size_t canonical_bytes = 0;  // that its fields so far take when they are written again
    uint32_t seen = 0;           // bit n: field n came already
  };
  struct Child {
    RowTable table = RowTable::kEvents;
    uint32_t shape = 0;
    size_t first_value = 0;
    size_t value_count = 0;
  };

  // Each returns false if the message has to be stored raw.
  bool ShredSpan(const ShredInput& input);
  bool ShredSpanField(const ShredInput& input, const otlp::wire::Cursor& field, Walk& walk);
  bool ShredStatus(std::string_view status, Walk& walk);
  bool ShredEvent(std::string_view event, const ShredInput& input);
  bool ShredLink(std::string_view link);
  bool ShredAttribute(std::string_view attribute, uint32_t field, Walk& walk);

  // An event or a link: one more in the run, and a row of its own.
  bool AddChild(Op op, std::string_view message, const ShredInput& input, Walk& walk);
  bool EndChild(const Walk& walk, std::string_view message);

  // Steps to a token, with or without a value.
  bool Go(Walk& walk, Op op);
  bool GoNumber(Walk& walk, Op op, uint64_t number);
  bool GoText(Walk& walk, Op op, std::string_view text);
  // The same for a field that may come once.
  bool Varint(Walk& walk, uint32_t field, Op op, uint64_t number);
  bool Fixed(Walk& walk, uint32_t field, Op op, uint64_t number, size_t bytes);
  bool Text(Walk& walk, uint32_t field, Op op, std::string_view text);
  bool SpanId(Walk& walk, uint32_t field, Op op, std::string_view id);
  static bool Once(Walk& walk, uint32_t field, size_t bytes);

  ShapeTable& shapes_;
  // Of the span under way.
  std::vector<SlotValue> values_;
  std::vector<SlotValue> child_values_;  // of its events and links
  std::vector<SlotValue>* target_ = &values_;
  std::vector<Child> children_;
  uint32_t shape_ = 0;
  Op run_ = Op::kRaw;    // kEvents or kLinks while such follow one another
  size_t run_slot_ = 0;  // where they are counted
};

}  // namespace spanloom::store::columnar
