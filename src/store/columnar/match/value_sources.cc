// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/match/value_sources.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "store/scan/span_fields.h"
#include "store/span_tags.h"

namespace spanloom::store::columnar {
namespace {

using Kind = ValueSource::Kind;
using Sources = std::vector<ValueSource>;

// One shape being searched.
class ShapeSearch {
 public:
  ShapeSearch(const SegmentIndex& index, const Shape& shape) : index_(index), shape_(shape) {}

  // A source for the op's slot; nullopt if the shape has no such token.
  [[nodiscard]] std::optional<ValueSource> SlotOf(Op op, Reading reading) const {
    const auto found = std::ranges::find(shape_.slot_ops, op);
    if (found == shape_.slot_ops.end()) return std::nullopt;
    return ValueSource{.kind = Kind::kSlot, .reading = reading, .slot = PlaceOf(found)};
  }
  [[nodiscard]] ValueSource SlotOr(Op op, Reading reading, const Cell& constant) const {
    return SlotOf(op, reading).value_or(ValueSource{.kind = Kind::kConstant, .constant = constant});
  }
  void AddSlotIfAny(Op op, Reading reading, Sources& sources) const {
    if (const auto source = SlotOf(op, reading)) sources.push_back(*source);
  }

  // Attributes with that key; false if there is none.
  bool AddAttributes(const std::string& key, Sources& sources) const;

  void AddChildren(Op op, Sources& sources) const {
    const bool has_any = std::ranges::find(shape_.slot_ops, op) != shape_.slot_ops.end();
    if (has_any) sources.push_back({.kind = op == Op::kEvents ? Kind::kEvents : Kind::kLinks});
  }

  // True if the end is kept as a duration.
  [[nodiscard]] bool HasDuration() const {
    const auto start = std::ranges::find(shape_.slot_ops, Op::kStart);
    return start != shape_.slot_ops.end() && std::find(start, shape_.slot_ops.end(), Op::kEnd) != shape_.slot_ops.end();
  }

 private:
  [[nodiscard]] uint32_t PlaceOf(std::vector<Op>::const_iterator op) const {
    return static_cast<uint32_t>(op - shape_.slot_ops.begin());
  }

  const SegmentIndex& index_;
  const Shape& shape_;
};

ValueSource SourceOfAttribute(ColumnType type, uint32_t slot) {
  switch (type) {
    case ColumnType::kAbsent:
    case ColumnType::kEmpty:
      return {.kind = Kind::kEmpty};
    case ColumnType::kString:
      return {.kind = Kind::kSlot, .reading = Reading::kString, .slot = slot};
    case ColumnType::kBytes:
      return {.kind = Kind::kSlot, .reading = Reading::kBytes, .slot = slot};
    case ColumnType::kBool:
      return {.kind = Kind::kSlot, .reading = Reading::kBool, .slot = slot};
    case ColumnType::kInt:
      return {.kind = Kind::kSlot, .reading = Reading::kInt, .slot = slot};
    case ColumnType::kDouble:
      return {.kind = Kind::kSlot, .reading = Reading::kDouble, .slot = slot};
    case ColumnType::kArray:
    case ColumnType::kMap:
      break;
  }
  return {.kind = Kind::kUnknown};
}

bool ShapeSearch::AddAttributes(const std::string& key, Sources& sources) const {
  bool has_any = false;
  uint32_t slot = 0;
  for (const Token& token : shape_.tokens) {
    const bool is_attribute = token.op == Op::kAttribute;
    const ColumnType type = is_attribute ? index_.columns()[token.column].type : ColumnType::kAbsent;
    if (is_attribute && index_.columns()[token.column].key == key) {
      sources.push_back(SourceOfAttribute(type, slot));
      has_any = true;
    }
    if (SlotKindOf(token.op, type) != SlotKind::kNone) ++slot;
  }
  return has_any;
}

void AddTags(const std::string& key, const ShapeSearch& shape, Sources& sources) {
  if (key == "span.kind") shape.AddSlotIfAny(Op::kKind, Reading::kKindTag, sources);
  if (key == "otel.status_code") shape.AddSlotIfAny(Op::kStatusCode, Reading::kStatusTag, sources);
  if (key == "error") sources.push_back(shape.SlotOr(Op::kStatusCode, Reading::kErrorTag, Cell::Bool(false)));
  if (key == "otel.status_description") shape.AddSlotIfAny(Op::kStatusMessage, Reading::kStringIfAny, sources);
  if (key == "w3c.tracestate") shape.AddSlotIfAny(Op::kTraceState, Reading::kStringIfAny, sources);
}

Sources OfAttribute(const Field& field, const ShapeSearch& shape) {
  Sources sources;
  switch (field.scope) {
    case AttributeScope::kSpan:
      shape.AddAttributes(field.key, sources);
      break;
    case AttributeScope::kResource:
    case AttributeScope::kInstrumentation:
      sources.push_back({.kind = Kind::kOrigin});
      break;
    case AttributeScope::kEvent:
      shape.AddChildren(Op::kEvents, sources);
      break;
    case AttributeScope::kLink:
      shape.AddChildren(Op::kLinks, sources);
      break;
    case AttributeScope::kSpanThenResource:
      if (!shape.AddAttributes(field.key, sources)) sources.push_back({.kind = Kind::kOrigin});
      break;
    case AttributeScope::kAnywhere:
      shape.AddAttributes(field.key, sources);
      AddTags(field.key, shape, sources);
      sources.push_back({.kind = Kind::kOrigin});
      shape.AddChildren(Op::kEvents, sources);
      break;
  }
  return sources;
}

Sources OfIntrinsic(Intrinsic intrinsic, const ShapeSearch& shape) {
  Sources sources;
  switch (intrinsic) {
    case Intrinsic::kService:
    case Intrinsic::kScopeName:
    case Intrinsic::kScopeVersion:
      return {{.kind = Kind::kOrigin}};
    case Intrinsic::kName:
      return {shape.SlotOr(Op::kName, Reading::kString, Cell::String(""))};
    case Intrinsic::kKind:
      return {shape.SlotOr(Op::kKind, Reading::kEnum, Cell::Int(0))};
    case Intrinsic::kStatus:
      return {shape.SlotOr(Op::kStatusCode, Reading::kEnum, Cell::Int(0))};
    case Intrinsic::kDuration:
      if (!shape.HasDuration()) break;
      return {*shape.SlotOf(Op::kEnd, Reading::kInt)};
    case Intrinsic::kSpanId:
      if (const auto slot = shape.SlotOf(Op::kSpanId, Reading::kSpanId)) return {*slot};
      break;
    case Intrinsic::kStatusMessage:
      shape.AddSlotIfAny(Op::kStatusMessage, Reading::kStringIfAny, sources);
      return sources;
    case Intrinsic::kTraceState:
      shape.AddSlotIfAny(Op::kTraceState, Reading::kStringIfAny, sources);
      return sources;
    case Intrinsic::kEventName:
    case Intrinsic::kEventTimeSinceStart:
      shape.AddChildren(Op::kEvents, sources);
      return sources;
    case Intrinsic::kLinkTraceId:
    case Intrinsic::kLinkSpanId:
      shape.AddChildren(Op::kLinks, sources);
      return sources;
    default:
      break;
  }
  return {{.kind = Kind::kUnknown}};
}

// True if events, or links, have values of the field.
bool IsAbout(const Field& field, RowTable children) {
  const bool is_event = children == RowTable::kEvents;
  if (field.is_attribute()) {
    if (field.scope == AttributeScope::kAnywhere) return is_event;
    return field.scope == (is_event ? AttributeScope::kEvent : AttributeScope::kLink);
  }
  if (is_event) return field.intrinsic == Intrinsic::kEventName || field.intrinsic == Intrinsic::kEventTimeSinceStart;
  return field.intrinsic == Intrinsic::kLinkTraceId || field.intrinsic == Intrinsic::kLinkSpanId;
}

// What an event or a link has of the field that its span asks for.
Sources OfChild(const Field& field, const ShapeSearch& shape) {
  Sources sources;
  if (field.is_attribute()) {
    shape.AddAttributes(field.key, sources);
    return sources;
  }
  if (field.intrinsic == Intrinsic::kEventName) return {shape.SlotOr(Op::kName, Reading::kString, Cell::String(""))};
  if (field.intrinsic == Intrinsic::kEventTimeSinceStart) {
    if (const auto slot = shape.SlotOf(Op::kTime, Reading::kInt)) return {*slot};
  }
  return {{.kind = Kind::kUnknown}};
}

}  // namespace

std::vector<ValueSource> SourcesOf(const Field& field, const SegmentIndex& index, uint32_t number) {
  const Shape& shape = index.shapes()[number];
  const ShapeSearch search(index, shape);
  if (shape.table != RowTable::kSpans) {
    if (!IsAbout(field, shape.table)) return {};
    return shape.is_raw() ? Sources{{.kind = Kind::kUnknown}} : OfChild(field, search);
  }
  if (shape.is_raw() && !scan::IsOfOrigin(field)) return {{.kind = Kind::kUnknown}};
  return field.is_attribute() ? OfAttribute(field, search) : OfIntrinsic(field.intrinsic, search);
}

std::vector<Field> OriginFieldsOf(const Field& field) {
  if (!field.is_attribute()) return {field};
  if (field.scope == AttributeScope::kSpanThenResource) return {Field::Attribute(AttributeScope::kResource, field.key)};
  if (field.scope != AttributeScope::kAnywhere) return {field};
  std::vector<Field> fields = {Field::Attribute(AttributeScope::kResource, field.key),
                               Field::Attribute(AttributeScope::kInstrumentation, field.key)};
  if (field.key == "otel.scope.name") fields.push_back(Field::Of(Intrinsic::kScopeName));
  if (field.key == "otel.scope.version") fields.push_back(Field::Of(Intrinsic::kScopeVersion));
  return fields;
}

Cell CellOfNumber(Reading reading, uint64_t number, char (&text)[8]) {
  switch (reading) {
    case Reading::kEnum:
      return Cell::Int(static_cast<int32_t>(number));
    case Reading::kBool:
      return Cell::Bool(number != 0);
    case Reading::kDouble:
      return Cell::Double(std::bit_cast<double>(number));
    case Reading::kSpanId:
      std::memcpy(text, &number, sizeof(number));
      return Cell::String({text, sizeof(text)}, ValueKind::kBytes);
    case Reading::kKindTag:
      return CellOfText(Reading::kStringIfAny, SpanKindText(static_cast<otlp::SpanKind>(number)));
    case Reading::kStatusTag:
      return CellOfText(Reading::kStringIfAny, StatusCodeText(static_cast<otlp::StatusCode>(number)));
    case Reading::kErrorTag:
      return Cell::Bool(static_cast<otlp::StatusCode>(number) == otlp::StatusCode::kError);
    default:
      return Cell::Int(static_cast<int64_t>(number));
  }
}

Cell CellOfText(Reading reading, std::string_view text) {
  if (reading == Reading::kStringIfAny && text.empty()) return {};
  return Cell::String(text, reading == Reading::kBytes ? ValueKind::kBytes : ValueKind::kString);
}

}  // namespace spanloom::store::columnar
