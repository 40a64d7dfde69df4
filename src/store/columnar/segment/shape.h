// SPDX-License-Identifier: Apache-2.0
//
// What a message is apart from its values: its fields in order, under which keys, of which types. Format and meaning of
// every token: docs/formats/segment.md, "Shapes and slots".

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace spanloom::store::columnar {

// The tables of a segment: rows are the messages of that kind.
enum class RowTable : uint8_t { kSpans, kEvents, kLinks };
inline constexpr size_t kRowTables = 3;

// The numbers are those of the file.
enum class Op : uint8_t {
  kOrigin = 0,
  kTraceId = 1,
  kSpanId = 2,
  kTraceState = 3,
  kParent = 4,    // by row
  kParentId = 5,  // by its bytes
  kName = 6,
  kKind = 7,
  kStart = 8,
  kEnd = 9,
  kAttribute = 10,
  kDroppedAttributes = 11,
  kEvents = 12,
  kLinks = 13,
  kDroppedEvents = 14,
  kDroppedLinks = 15,
  kStatus = 16,
  kStatusMessage = 17,
  kStatusCode = 18,
  kStatusEnd = 19,
  kFlags = 20,
  kTime = 21,
  kLinkTraceId = 22,
  kLinkTraceLow = 23,
  kLinkTraceHigh = 24,
  kRaw = 25,
};
inline constexpr uint8_t kOps = 26;

// How the value of an attribute stands on the wire. The numbers are those of the file; from kString on, the number less
// one is that of AnyValue's field.
enum class ColumnType : uint8_t {
  kAbsent = 0,
  kEmpty = 1,
  kString = 2,
  kBool = 3,
  kInt = 4,
  kDouble = 5,
  kArray = 6,
  kMap = 7,
  kBytes = 8,
};
inline constexpr uint8_t kColumnTypes = 9;

// A key with one type, in one table; and the texts of the fields that have any. A value.
struct ColumnKey {
  RowTable table = RowTable::kSpans;
  ColumnType type = ColumnType::kString;
  std::string key = {};

  friend auto operator<=>(const ColumnKey&, const ColumnKey&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const ColumnKey& column) {
    return H::combine(std::move(state), column.table, column.type, column.key);
  }
};

// The columns of texts that are no attributes stand first in every segment, in this order.
inline constexpr uint32_t kTraceStateColumn = 0;
inline constexpr uint32_t kSpanNameColumn = 1;
inline constexpr uint32_t kEventNameColumn = 2;
inline constexpr uint32_t kStatusMessageColumn = 3;
inline constexpr uint32_t kRawColumn = 4;
inline constexpr uint32_t kFixedColumns = 5;

inline constexpr uint32_t kNoColumn = 0xffff'ffff;

struct Token {
  Op op = Op::kRaw;
  uint32_t column = kNoColumn;  // of texts and attributes

  friend bool operator==(const Token&, const Token&) = default;
};

// True if values of the column are texts.
constexpr bool IsText(ColumnType type) {
  return type == ColumnType::kString || type >= ColumnType::kArray;
}

// True if an attribute of the column has a slot: what is said by its type alone has none.
constexpr bool HasSlot(ColumnType type) {
  return type != ColumnType::kAbsent && type != ColumnType::kEmpty;
}

// What the slot of a token holds.
enum class SlotKind : uint8_t { kNone, kNumber, kText };

// `type`: of the column, for attributes.
[[nodiscard]] SlotKind SlotKindOf(Op op, ColumnType type);

// The column of an op whose value is a text but no attribute; kNoColumn for others.
[[nodiscard]] uint32_t FixedColumnOf(Op op, RowTable table);

// Immutable once it has a number in a segment.
struct Shape {
  RowTable table = RowTable::kSpans;
  std::vector<Token> tokens;
  // Derived from the tokens.
  std::vector<SlotKind> slots;         // [slots]: kNumber or kText
  std::vector<uint32_t> slot_columns;  // [slots], kNoColumn for numbers that are no attributes
  std::vector<Op> slot_ops;            // [slots]
  bool has_children = false;           // events or links

  // Fills what is derived. `columns` says what is asked of a column's type.
  void Derive(const std::vector<ColumnKey>& columns);
  [[nodiscard]] bool is_raw() const { return !tokens.empty() && tokens.back().op == Op::kRaw; }
};

// True if the tokens are some that a message of that table can have: what Shredder makes is, what was read from a file
// need not be.
[[nodiscard]] bool IsPossible(const Shape& shape, const std::vector<ColumnKey>& columns);

// Shapes of a segment beyond this number are stored raw. Guess: an index of 100 pages then takes a few MiB.
inline constexpr uint32_t kShapesMax = 4096;

}  // namespace spanloom::store::columnar
