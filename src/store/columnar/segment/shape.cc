// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/shape.h"

#include <utility>

namespace spanloom::store::columnar {

SlotKind SlotKindOf(Op op, ColumnType type) {
  switch (op) {
    case Op::kTraceId:
    case Op::kStatus:
    case Op::kStatusEnd:
    case Op::kLinkTraceId:
      return SlotKind::kNone;
    case Op::kTraceState:
    case Op::kName:
    case Op::kStatusMessage:
    case Op::kRaw:
      return SlotKind::kText;
    case Op::kAttribute:
      if (!HasSlot(type)) return SlotKind::kNone;
      return IsText(type) ? SlotKind::kText : SlotKind::kNumber;
    default:
      return SlotKind::kNumber;
  }
}

uint32_t FixedColumnOf(Op op, RowTable table) {
  switch (op) {
    case Op::kTraceState:
      return kTraceStateColumn;
    case Op::kName:
      return table == RowTable::kSpans ? kSpanNameColumn : kEventNameColumn;
    case Op::kStatusMessage:
      return kStatusMessageColumn;
    case Op::kRaw:
      return kRawColumn;
    default:
      return kNoColumn;
  }
}

void Shape::Derive(const std::vector<ColumnKey>& columns) {
  slots.clear();
  slot_columns.clear();
  slot_ops.clear();
  has_children = false;
  for (const Token& token : tokens) {
    const ColumnType type = token.op == Op::kAttribute ? columns[token.column].type : ColumnType::kAbsent;
    const SlotKind kind = SlotKindOf(token.op, type);
    if (kind == SlotKind::kNone) continue;
    slots.push_back(kind);
    slot_columns.push_back(token.op == Op::kAttribute ? token.column : FixedColumnOf(token.op, table));
    slot_ops.push_back(token.op);
    has_children = has_children || token.op == Op::kEvents || token.op == Op::kLinks;
  }
}

namespace {

bool IsOfSpan(Op op) {
  return op <= Op::kFlags && op != Op::kOrigin;
}

bool IsOfEvent(Op op) {
  return op == Op::kTime || op == Op::kName || op == Op::kAttribute || op == Op::kDroppedAttributes;
}

bool IsOfLink(Op op) {
  return op == Op::kSpanId || op == Op::kTraceState || op == Op::kAttribute || op == Op::kDroppedAttributes ||
         op == Op::kFlags || (op >= Op::kLinkTraceId && op <= Op::kLinkTraceHigh);
}

bool IsOfStatus(Op op) {
  return op == Op::kStatusMessage || op == Op::kStatusCode;
}

bool IsOf(RowTable table, Op op) {
  if (table == RowTable::kSpans) return IsOfSpan(op);
  return table == RowTable::kEvents ? IsOfEvent(op) : IsOfLink(op);
}

// What has no fixed place in the order: whether it may follow `before`.
bool MayFollow(Op op, Op before, bool is_in_status) {
  if (op == Op::kStatusEnd) return is_in_status;
  if (IsOfStatus(op) != is_in_status) return false;
  if (op == Op::kLinkTraceHigh) return before == Op::kLinkTraceLow;
  if (op == Op::kLinkTraceId) return before == Op::kLinkTraceHigh;
  return before != Op::kLinkTraceLow && before != Op::kLinkTraceHigh;
}

// Tokens that may occur more than once.
bool MayRepeat(Op op) {
  return op == Op::kAttribute || op == Op::kEvents || op == Op::kLinks;
}

}  // namespace

bool IsPossible(const Shape& shape, const std::vector<ColumnKey>& columns) {
  size_t i = 0;
  if (shape.table == RowTable::kSpans) {
    if (shape.tokens.empty() || shape.tokens[i++].op != Op::kOrigin) return false;
  }
  if (i + 1 == shape.tokens.size() && shape.tokens[i].op == Op::kRaw) return true;
  uint32_t seen = 0;
  bool is_in_status = false;
  Op before = Op::kRaw;
  for (; i < shape.tokens.size(); ++i) {
    const auto [op, column] = shape.tokens[i];
    const uint32_t bit = uint32_t{1} << static_cast<uint32_t>(op);
    if (!IsOf(shape.table, op) || !MayFollow(op, before, is_in_status)) return false;
    if (!MayRepeat(op) && (std::exchange(seen, seen | bit) & bit) != 0) return false;
    if (op == Op::kAttribute &&
        (column < kFixedColumns || column >= columns.size() || columns[column].table != shape.table)) {
      return false;
    }
    if (op == Op::kStatus || op == Op::kStatusEnd) is_in_status = op == Op::kStatus;
    before = op;
  }
  return !is_in_status && before != Op::kLinkTraceLow && before != Op::kLinkTraceHigh;
}

}  // namespace spanloom::store::columnar
