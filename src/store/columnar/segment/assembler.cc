// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/assembler.h"

#include <array>
#include <cstring>
#include <limits>
#include <optional>

#include "base/check.h"
#include "otlp/fields.h"
#include "otlp/wire/writer.h"

namespace spanloom::store::columnar {
namespace {

using otlp::wire::VarintSize;
using otlp::wire::Writer;
namespace field = otlp::field;

std::array<char, sizeof(uint64_t)> BytesOf(uint64_t value) {
  std::array<char, sizeof(uint64_t)> bytes;
  std::memcpy(bytes.data(), &value, sizeof(value));
  return bytes;
}

std::string_view View(const std::array<char, sizeof(uint64_t)>& bytes) {
  return {bytes.data(), bytes.size()};
}

// Numbers of a damaged file may not fit.
uint64_t AddSaturating(uint64_t a, uint64_t b) {
  return a > std::numeric_limits<uint64_t>::max() - b ? std::numeric_limits<uint64_t>::max() : a + b;
}

uint32_t ValueField(ColumnType type) {
  return static_cast<uint32_t>(type) - 1;
}

// Bytes of an AnyValue's content.
size_t ValueBytes(ColumnType type, const SlotValue& value) {
  if (type == ColumnType::kEmpty) return 0;
  if (type == ColumnType::kDouble) return 1 + sizeof(uint64_t);
  if (!IsText(type)) return 1 + VarintSize(value.number());
  return 1 + VarintSize(value.text().size()) + value.text().size();
}

void WriteAttribute(uint32_t number, const ColumnKey& column, const SlotValue& value, Writer& writer) {
  const size_t value_bytes = ValueBytes(column.type, value);
  const size_t key_bytes = 1 + VarintSize(column.key.size()) + column.key.size();
  const bool has_value = column.type != ColumnType::kAbsent;
  writer.BeginSized(number, key_bytes + (has_value ? 1 + VarintSize(value_bytes) + value_bytes : 0));
  writer.Bytes(field::KeyValue::kKey, column.key);
  if (!has_value) return;
  writer.BeginSized(field::KeyValue::kValue, value_bytes);
  if (column.type == ColumnType::kEmpty) return;
  if (IsText(column.type)) return writer.Bytes(ValueField(column.type), value.text());
  if (column.type == ColumnType::kDouble) return writer.Fixed64(ValueField(column.type), value.number());
  writer.Varint(ValueField(column.type), value.number());
}

// One message's tokens with their values, one after the other.
class RowWriter {
 public:
  RowWriter(const SpanRow& row, const std::vector<ColumnKey>& columns, std::string& out)
      : row_(row), columns_(columns), writer_(out) {}

  void WriteSpan() {
    next_ = row_.values.data();
    start_ = StartOf();
    for (const Token& token : row_.shape->tokens) WriteSpanToken(token);
  }

 private:
  uint64_t Number() { return next_++->number(); }
  std::string_view Text() { return next_++->text(); }

  // Events count from it, wherever it stands.
  [[nodiscard]] uint64_t StartOf() const {
    for (size_t i = 0; i < row_.shape->slot_ops.size(); ++i) {
      if (row_.shape->slot_ops[i] == Op::kStart) return row_.values[i].number() + row_.trace_start;
    }
    return 0;
  }

  void WriteSpanToken(const Token& token);
  void WriteStatusToken(const Token& token);
  void WriteChildToken(const Token& token, RowTable table);
  void WriteChildren(uint32_t number, std::span<const ChildRow>& children, uint64_t count);
  void Attribute(uint32_t number, uint32_t column);

  const SpanRow& row_;
  const std::vector<ColumnKey>& columns_;
  Writer writer_;
  const SlotValue* next_ = nullptr;
  uint64_t start_ = 0;
  bool has_start_ = false;
  Writer::Mark status_;
  std::span<const ChildRow> events_ = row_.events;
  std::span<const ChildRow> links_ = row_.links;
};

void RowWriter::Attribute(uint32_t number, uint32_t column) {
  const ColumnKey& key = columns_[column];
  const bool has_slot = SlotKindOf(Op::kAttribute, key.type) != SlotKind::kNone;
  WriteAttribute(number, key, has_slot ? *next_++ : SlotValue(), writer_);
}

void RowWriter::WriteSpanToken(const Token& token) {
  using Span = field::Span;
  switch (token.op) {
    case Op::kOrigin:
      ++next_;
      return;
    case Op::kTraceId:
      return writer_.Bytes(Span::kTraceId, row_.trace_id);
    case Op::kSpanId:
      return writer_.Bytes(Span::kSpanId, View(BytesOf(Number())));
    case Op::kTraceState:
      return writer_.Bytes(Span::kTraceState, Text());
    case Op::kParent:
    case Op::kParentId:
      return writer_.Bytes(Span::kParentSpanId, View(BytesOf(Number())));
    case Op::kName:
      return writer_.Bytes(Span::kName, Text());
    case Op::kKind:
      return writer_.Varint(Span::kKind, Number());
    case Op::kStart:
      has_start_ = true;
      return writer_.Fixed64(Span::kStartTime, Number() + row_.trace_start);
    case Op::kEnd:
      return writer_.Fixed64(Span::kEndTime, Number() + (has_start_ ? start_ : 0));
    case Op::kAttribute:
      return Attribute(Span::kAttributes, token.column);
    case Op::kDroppedAttributes:
      return writer_.Varint(Span::kDroppedAttributesCount, Number());
    case Op::kEvents:
      return WriteChildren(Span::kEvents, events_, Number());
    case Op::kLinks:
      return WriteChildren(Span::kLinks, links_, Number());
    case Op::kDroppedEvents:
      return writer_.Varint(Span::kDroppedEventsCount, Number());
    case Op::kDroppedLinks:
      return writer_.Varint(Span::kDroppedLinksCount, Number());
    case Op::kFlags:
      return writer_.Fixed32(Span::kFlags, static_cast<uint32_t>(Number()));
    case Op::kRaw:
      return writer_.Raw(Text());
    default:
      return WriteStatusToken(token);
  }
}

void RowWriter::WriteStatusToken(const Token& token) {
  switch (token.op) {
    case Op::kStatus:
      status_ = writer_.Begin(field::Span::kStatus);
      return;
    case Op::kStatusMessage:
      return writer_.Bytes(field::Status::kMessage, Text());
    case Op::kStatusCode:
      return writer_.Varint(field::Status::kCode, Number());
    case Op::kStatusEnd:
      return writer_.End(status_);
    default:
      CHECK(false);
  }
}

void RowWriter::WriteChildren(uint32_t number, std::span<const ChildRow>& children, uint64_t count) {
  CHECK(count <= children.size());
  const SlotValue* const after = next_;
  for (const ChildRow& child : children.first(count)) {
    const Writer::Mark mark = writer_.Begin(number);
    next_ = child.values.data();
    for (const Token& token : child.shape->tokens) {
      WriteChildToken(token, child.shape->table);
    }
    writer_.End(mark);
  }
  next_ = after;
  children = children.subspan(count);
}

void RowWriter::WriteChildToken(const Token& token, RowTable table) {
  using Event = field::Event;
  using Link = field::Link;
  const bool is_event = table == RowTable::kEvents;
  switch (token.op) {
    case Op::kAttribute:
      return Attribute(is_event ? Event::kAttributes : Link::kAttributes, token.column);
    case Op::kDroppedAttributes:
      return writer_.Varint(is_event ? Event::kDroppedAttributesCount : Link::kDroppedAttributesCount, Number());
    case Op::kTime:
      return writer_.Fixed64(Event::kTime, Number() + start_);
    case Op::kName:
      return writer_.Bytes(Event::kName, Text());
    case Op::kLinkTraceLow:
    case Op::kLinkTraceHigh:
      ++next_;
      return;
    case Op::kLinkTraceId:
      writer_.BeginSized(Link::kTraceId, 2 * sizeof(uint64_t));
      writer_.Raw(View(BytesOf(next_[-2].number())));
      return writer_.Raw(View(BytesOf(next_[-1].number())));
    case Op::kSpanId:
      return writer_.Bytes(Link::kSpanId, View(BytesOf(Number())));
    case Op::kTraceState:
      return writer_.Bytes(Link::kTraceState, Text());
    case Op::kFlags:
      return writer_.Fixed32(Link::kFlags, static_cast<uint32_t>(Number()));
    case Op::kRaw:
      return writer_.Raw(Text());
    default:
      CHECK(false);
  }
}

}  // namespace

void Assemble(const SpanRow& row, const std::vector<ColumnKey>& columns, std::string& out) {
  RowWriter(row, columns, out).WriteSpan();
}

ChildCounts CountChildren(const Shape& shape, std::span<const SlotValue> values) {
  ChildCounts counts;
  for (size_t i = 0; i < shape.slot_ops.size(); ++i) {
    if (shape.slot_ops[i] == Op::kEvents) counts.events = AddSaturating(counts.events, values[i].number());
    if (shape.slot_ops[i] == Op::kLinks) counts.links = AddSaturating(counts.links, values[i].number());
  }
  return counts;
}

}  // namespace spanloom::store::columnar
