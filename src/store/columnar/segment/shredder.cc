// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/shredder.h"

#include <cstring>
#include <utility>

#include "otlp/fields.h"
#include "otlp/plain_attribute.h"
#include "otlp/wire/cursor.h"
#include "otlp/wire/writer.h"
#include "store/columnar/segment/byte_writer.h"

namespace spanloom::store::columnar {
namespace {

using otlp::wire::Cursor;
using otlp::wire::Type;
using otlp::wire::VarintSize;
namespace field = otlp::field;

constexpr size_t kTraceIdBytes = 16;
constexpr size_t kSpanIdBytes = 8;

size_t TagSize(uint32_t field_number) {
  return VarintSize(uint64_t{field_number} << 3);
}

size_t BytesSize(uint32_t field_number, size_t bytes) {
  return TagSize(field_number) + VarintSize(bytes) + bytes;
}

uint64_t U64Of(std::string_view bytes) {
  uint64_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

struct AttributeParts {
  std::string_view key;
  ColumnType type = ColumnType::kAbsent;
  SlotValue value;
};

// An AnyValue with at most one field; false if it is written in another way than we would.
bool ReadValue(std::string_view wire, AttributeParts& parts) {
  parts.type = ColumnType::kEmpty;
  if (wire.empty()) return true;
  Cursor cursor(wire);
  if (!cursor.Next() || cursor.field() > field::Value::kBytes) return false;
  parts.type = static_cast<ColumnType>(cursor.field() + 1);
  size_t bytes = TagSize(cursor.field());
  if (IsText(parts.type)) {
    if (cursor.type() != Type::kBytes) return false;
    parts.value = SlotValue::Text(cursor.bytes());
    bytes = BytesSize(cursor.field(), cursor.bytes().size());
  } else {
    if (cursor.type() != (parts.type == ColumnType::kDouble ? Type::kFixed64 : Type::kVarint)) return false;
    parts.value = SlotValue::Number(cursor.scalar());
    bytes += parts.type == ColumnType::kDouble ? sizeof(uint64_t) : VarintSize(cursor.scalar());
  }
  return bytes == wire.size();
}

// The same for the forms that nearly all values have: a short text, a double, a small number.
bool ReadShortValue(std::string_view wire, AttributeParts& parts) {
  constexpr uint8_t kShortMax = 0x7f;
  if (wire.size() < 2 || wire.size() > kShortMax) return false;
  const auto tag = static_cast<uint8_t>(wire[0]);
  if (tag == otlp::TagByte(field::Value::kString, Type::kBytes)) {
    if (static_cast<uint8_t>(wire[1]) != wire.size() - 2) return false;
    parts.type = ColumnType::kString;
    parts.value = SlotValue::Text(wire.substr(2));
    return true;
  }
  if (tag == otlp::TagByte(field::Value::kDouble, Type::kFixed64) && wire.size() == 1 + sizeof(uint64_t)) {
    parts.type = ColumnType::kDouble;
    parts.value = SlotValue::Number(U64Of(wire.substr(1)));
    return true;
  }
  const auto number = static_cast<uint8_t>(wire[1]);
  if (tag != otlp::TagByte(field::Value::kInt, Type::kVarint) || wire.size() != 2 || number >= 0x80) return false;
  parts.type = ColumnType::kInt;
  parts.value = SlotValue::Number(number);
  return true;
}

// A KeyValue: the key, then perhaps the value.
bool ReadAttribute(std::string_view wire, AttributeParts& parts) {
  if (otlp::PlainAttribute plain; plain.Read(wire)) [[likely]] {
    parts.key = plain.key;
    return ReadShortValue(plain.value, parts) || ReadValue(plain.value, parts);
  }
  Cursor cursor(wire);
  if (!cursor.Next() || cursor.field() != field::KeyValue::kKey || cursor.type() != Type::kBytes) return false;
  parts.key = cursor.bytes();
  size_t bytes = BytesSize(field::KeyValue::kKey, parts.key.size());
  if (bytes == wire.size()) return true;
  if (!cursor.Next() || cursor.field() != field::KeyValue::kValue || cursor.type() != Type::kBytes) return false;
  bytes += BytesSize(field::KeyValue::kValue, cursor.bytes().size());
  return bytes == wire.size() && ReadValue(cursor.bytes(), parts);
}

}  // namespace

bool Shredder::Go(Walk& walk, Op op) {
  walk.node = shapes_.Step(walk.node, op);
  return walk.node != ShapeTable::kNone;
}

bool Shredder::GoNumber(Walk& walk, Op op, uint64_t number) {
  target_->push_back(SlotValue::Number(number));
  return Go(walk, op);
}

bool Shredder::GoText(Walk& walk, Op op, std::string_view text) {
  target_->push_back(SlotValue::Text(text));
  return Go(walk, op);
}

// `bytes`: what the field takes on the wire when we write it.
bool Shredder::Once(Walk& walk, uint32_t field, size_t bytes) {
  const uint32_t bit = uint32_t{1} << field;
  walk.canonical_bytes += bytes;
  return (std::exchange(walk.seen, walk.seen | bit) & bit) == 0;
}

bool Shredder::Varint(Walk& walk, uint32_t field, Op op, uint64_t number) {
  return Once(walk, field, TagSize(field) + VarintSize(number)) && GoNumber(walk, op, number);
}

bool Shredder::Fixed(Walk& walk, uint32_t field, Op op, uint64_t number, size_t bytes) {
  return Once(walk, field, TagSize(field) + bytes) && GoNumber(walk, op, number);
}

bool Shredder::Text(Walk& walk, uint32_t field, Op op, std::string_view text) {
  return Once(walk, field, BytesSize(field, text.size())) && GoText(walk, op, text);
}

bool Shredder::SpanId(Walk& walk, uint32_t field, Op op, std::string_view id) {
  return id.size() == kSpanIdBytes && Once(walk, field, BytesSize(field, id.size())) && GoNumber(walk, op, U64Of(id));
}

void Shredder::Shred(const ShredInput& input, PageRows& rows) {
  values_.clear();
  child_values_.clear();
  children_.clear();
  target_ = &values_;
  RowValues& spans = rows[static_cast<size_t>(RowTable::kSpans)];
  if (!ShredSpan(input)) {
    const SlotValue raw[] = {SlotValue::Number(input.origin), SlotValue::Text(input.wire)};
    return spans.Add(shapes_.raw(RowTable::kSpans), raw);
  }
  spans.Add(shape_, values_);
  for (const Child& child : children_) {
    const std::span<const SlotValue> values(child_values_);
    rows[static_cast<size_t>(child.table)].Add(child.shape, values.subspan(child.first_value, child.value_count));
  }
}

bool Shredder::ShredSpan(const ShredInput& input) {
  constexpr uint8_t kAttribute = otlp::TagByte(field::Span::kAttributes, Type::kBytes);
  Walk walk = {.table = RowTable::kSpans, .node = shapes_.Root(RowTable::kSpans)};
  run_ = Op::kRaw;
  if (!GoNumber(walk, Op::kOrigin, input.origin)) return false;
  Cursor cursor(input.wire);
  while (true) {
    while (cursor.NextShortBytes(kAttribute)) {
      run_ = Op::kRaw;
      if (!ShredAttribute(cursor.bytes(), field::Span::kAttributes, walk)) return false;
    }
    if (!cursor.Next()) break;
    if (!ShredSpanField(input, cursor, walk)) return false;
  }
  if (walk.canonical_bytes != input.wire.size()) return false;
  shape_ = shapes_.End(walk.node, RowTable::kSpans);
  return shape_ != ShapeTable::kNone;
}

bool Shredder::ShredSpanField(const ShredInput& input, const Cursor& field, Walk& walk) {
  using Span = field::Span;
  const uint32_t number = field.field();
  if (number == Span::kEvents) return AddChild(Op::kEvents, field.bytes(), input, walk);
  if (number == Span::kLinks) return AddChild(Op::kLinks, field.bytes(), input, walk);
  run_ = Op::kRaw;
  switch (number) {
    case Span::kTraceId:
      return field.bytes() == input.trace_id && Once(walk, number, BytesSize(number, kTraceIdBytes)) &&
             Go(walk, Op::kTraceId);
    case Span::kSpanId:
      return SpanId(walk, number, Op::kSpanId, field.bytes());
    case Span::kTraceState:
      return Text(walk, number, Op::kTraceState, field.bytes());
    case Span::kParentSpanId:
      if (!input.parent) return SpanId(walk, number, Op::kParentId, field.bytes());
      return Once(walk, number, BytesSize(number, kSpanIdBytes)) && GoNumber(walk, Op::kParent, ZigZag(*input.parent));
    case Span::kName:
      return Text(walk, number, Op::kName, field.bytes());
    case Span::kKind:
      return Varint(walk, number, Op::kKind, field.scalar());
    case Span::kStartTime:
      return Fixed(walk, number, Op::kStart, field.scalar() - input.trace_start, sizeof(uint64_t));
    case Span::kEndTime: {
      const bool has_start = (walk.seen >> Span::kStartTime & 1) != 0;
      return Fixed(walk, number, Op::kEnd, field.scalar() - (has_start ? input.start : 0), sizeof(uint64_t));
    }
    case Span::kAttributes:
      return ShredAttribute(field.bytes(), number, walk);
    case Span::kDroppedAttributesCount:
      return Varint(walk, number, Op::kDroppedAttributes, field.scalar());
    case Span::kDroppedEventsCount:
      return Varint(walk, number, Op::kDroppedEvents, field.scalar());
    case Span::kDroppedLinksCount:
      return Varint(walk, number, Op::kDroppedLinks, field.scalar());
    case Span::kStatus:
      return Once(walk, number, BytesSize(number, field.bytes().size())) && ShredStatus(field.bytes(), walk);
    case Span::kFlags:
      return Fixed(walk, number, Op::kFlags, field.scalar(), sizeof(uint32_t));
    default:
      return false;
  }
}

bool Shredder::ShredStatus(std::string_view status, Walk& walk) {
  if (!Go(walk, Op::kStatus)) return false;
  Walk inner = {.table = RowTable::kSpans, .node = walk.node};
  Cursor cursor(status);
  while (cursor.Next()) {
    const uint32_t number = cursor.field();
    const bool went = number == field::Status::kMessage ? Text(inner, number, Op::kStatusMessage, cursor.bytes())
                      : number == field::Status::kCode  ? Varint(inner, number, Op::kStatusCode, cursor.scalar())
                                                        : false;
    if (!went) return false;
  }
  walk.node = inner.node;
  return inner.canonical_bytes == status.size() && Go(walk, Op::kStatusEnd);
}

bool Shredder::ShredAttribute(std::string_view attribute, uint32_t field, Walk& walk) {
  AttributeParts parts;
  if (!ReadAttribute(attribute, parts)) return false;
  walk.canonical_bytes += BytesSize(field, attribute.size());
  walk.node = shapes_.StepAttribute(walk.node, walk.table, parts.type, parts.key);
  if (walk.node == ShapeTable::kNone) return false;
  if (HasSlot(parts.type)) target_->push_back(parts.value);
  return true;
}

bool Shredder::AddChild(Op op, std::string_view message, const ShredInput& input, Walk& walk) {
  if (run_ == op) {
    values_[run_slot_].Increment();
  } else {
    run_ = op;
    run_slot_ = values_.size();
    if (!GoNumber(walk, op, 1)) return false;
  }
  const bool is_event = op == Op::kEvents;
  walk.canonical_bytes += BytesSize(is_event ? field::Span::kEvents : field::Span::kLinks, message.size());
  target_ = &child_values_;
  children_.push_back({.table = is_event ? RowTable::kEvents : RowTable::kLinks, .first_value = child_values_.size()});
  if (!(is_event ? ShredEvent(message, input) : ShredLink(message))) {
    child_values_.resize(children_.back().first_value);
    child_values_.push_back(SlotValue::Text(message));
    children_.back().shape = shapes_.raw(children_.back().table);
  }
  children_.back().value_count = child_values_.size() - children_.back().first_value;
  target_ = &values_;
  return true;
}

bool Shredder::EndChild(const Walk& walk, std::string_view message) {
  if (walk.canonical_bytes != message.size()) return false;
  children_.back().shape = shapes_.End(walk.node, walk.table);
  return children_.back().shape != ShapeTable::kNone;
}

bool Shredder::ShredEvent(std::string_view event, const ShredInput& input) {
  using Event = field::Event;
  Walk walk = {.table = RowTable::kEvents, .node = shapes_.Root(RowTable::kEvents)};
  Cursor cursor(event);
  while (cursor.Next()) {
    const uint32_t number = cursor.field();
    const bool went =
        number == Event::kTime         ? Fixed(walk, number, Op::kTime, cursor.scalar() - input.start, sizeof(uint64_t))
        : number == Event::kName       ? Text(walk, number, Op::kName, cursor.bytes())
        : number == Event::kAttributes ? ShredAttribute(cursor.bytes(), number, walk)
        : number == Event::kDroppedAttributesCount ? Varint(walk, number, Op::kDroppedAttributes, cursor.scalar())
                                                   : false;
    if (!went) return false;
  }
  return EndChild(walk, event);
}

bool Shredder::ShredLink(std::string_view link) {
  using Link = field::Link;
  Walk walk = {.table = RowTable::kLinks, .node = shapes_.Root(RowTable::kLinks)};
  const auto trace_id = [&](std::string_view id) {
    return id.size() == kTraceIdBytes && Once(walk, Link::kTraceId, BytesSize(Link::kTraceId, id.size())) &&
           GoNumber(walk, Op::kLinkTraceLow, U64Of(id)) &&
           GoNumber(walk, Op::kLinkTraceHigh, U64Of(id.substr(kSpanIdBytes))) && Go(walk, Op::kLinkTraceId);
  };
  Cursor cursor(link);
  while (cursor.Next()) {
    const uint32_t number = cursor.field();
    const bool went = number == Link::kTraceId      ? trace_id(cursor.bytes())
                      : number == Link::kSpanId     ? SpanId(walk, number, Op::kSpanId, cursor.bytes())
                      : number == Link::kTraceState ? Text(walk, number, Op::kTraceState, cursor.bytes())
                      : number == Link::kAttributes ? ShredAttribute(cursor.bytes(), number, walk)
                      : number == Link::kDroppedAttributesCount
                          ? Varint(walk, number, Op::kDroppedAttributes, cursor.scalar())
                      : number == Link::kFlags ? Fixed(walk, number, Op::kFlags, cursor.scalar(), sizeof(uint32_t))
                                               : false;
    if (!went) return false;
  }
  return EndChild(walk, link);
}

}  // namespace spanloom::store::columnar
