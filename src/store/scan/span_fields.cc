// SPDX-License-Identifier: Apache-2.0

#include "store/scan/span_fields.h"

#include <algorithm>
#include <limits>
#include <string_view>

#include "store/span_tags.h"
#include "store/value_text.h"

namespace spanloom::store::scan {
namespace {

using otlp::AttributeView;
using otlp::SpanView;
using otlp::ValueView;

int64_t ToInt(uint64_t unix_ns) {
  return static_cast<int64_t>(std::min<uint64_t>(unix_ns, std::numeric_limits<int64_t>::max()));
}

bool VisitIfNotEmpty(std::string_view text, CellVisitor visit) {
  return text.empty() || visit(Cell::String(text));
}

Cell IdCell(std::string_view id, TextArena& texts) {
  return Cell::String(texts.Keep(id), ValueKind::kBytes);
}

Cell CellOf(const ValueView& value, TextArena& texts) {
  switch (value.kind()) {
    case ValueView::Kind::kNone:
      return {};
    case ValueView::Kind::kString:
      return Cell::String(value.string_value());
    case ValueView::Kind::kBytes:
      return Cell::String(value.bytes_value(), ValueKind::kBytes);
    case ValueView::Kind::kBool:
      return Cell::Bool(value.bool_value());
    case ValueView::Kind::kInt:
      return Cell::Int(value.int_value());
    case ValueView::Kind::kDouble:
      return Cell::Double(value.double_value());
    case ValueView::Kind::kArray:
    case ValueView::Kind::kMap:
      return Cell::String(texts.Keep(ValueText(value)), ValueKind::kText);
  }
  return {};
}

bool VisitIfAny(const Cell& cell, CellVisitor visit) {
  return cell.is_none() || visit(cell);
}

template <typename Attributes>
bool VisitAttributes(const Attributes& attributes, std::string_view key, AttributeVisitor visit) {
  for (const AttributeView attribute : attributes) {
    if (attribute.key() == key && !visit(attribute.value())) return false;
  }
  return true;
}

template <typename Parents>
bool VisitAttributesOfEach(const Parents& parents, std::string_view key, AttributeVisitor visit) {
  for (const auto parent : parents) {
    if (!VisitAttributes(parent.attributes(), key, visit)) return false;
  }
  return true;
}

bool VisitTags(const SpanTags& tags, std::string_view key, CellVisitor visit) {
  for (const SpanTag& tag : tags) {
    if (tag.key != key) continue;
    if (!visit(tag.is_bool ? Cell::Bool(tag.text == "true") : Cell::String(tag.text))) return false;
  }
  return true;
}

bool VisitSpanThenResource(const StoredSpan& stored, const SpanView& span, std::string_view key,
                           AttributeVisitor visit) {
  bool is_on_span = false;
  const bool goes_on = VisitAttributes(span.attributes(), key, [&](const ValueView& value) {
    is_on_span = true;
    return visit(value);
  });
  if (is_on_span) return goes_on;
  return VisitAttributes(stored.resource().attributes(), key, visit);
}

bool VisitErrorFree(const SpanView& span, std::string_view key, CellVisitor visit) {
  return key != "error" || span.status_code() == otlp::StatusCode::kError || visit(Cell::Bool(false));
}

bool VisitAnywhere(const StoredSpan& stored, const SpanView& span, std::string_view key,
                   AttributeVisitor visit_attribute, CellVisitor visit_tag) {
  return VisitAttributes(span.attributes(), key, visit_attribute) && VisitTags(TagsOf(span), key, visit_tag) &&
         VisitErrorFree(span, key, visit_tag) &&
         VisitAttributes(stored.resource().attributes(), key, visit_attribute) &&
         VisitAttributes(stored.scope().attributes(), key, visit_attribute) &&
         VisitTags(TagsOf(stored.scope()), key, visit_tag) &&
         VisitAttributesOfEach(span.events(), key, visit_attribute);
}

bool VisitEvents(Intrinsic intrinsic, const SpanView& span, CellVisitor visit) {
  for (const otlp::EventView event : span.events()) {
    const bool goes_on = intrinsic == Intrinsic::kEventName
                             ? visit(Cell::String(event.name()))
                             : visit(Cell::Int(static_cast<int64_t>(event.time_unix_ns() - span.start_unix_ns())));
    if (!goes_on) return false;
  }
  return true;
}

bool VisitLinks(Intrinsic intrinsic, const SpanView& span, TextArena& texts, CellVisitor visit) {
  for (const otlp::LinkView link : span.links()) {
    const otlp::TraceId trace_id = link.trace_id();
    const otlp::SpanId span_id = link.span_id();
    if (!visit(IdCell(intrinsic == Intrinsic::kLinkTraceId ? trace_id.view() : span_id.view(), texts))) return false;
  }
  return true;
}

bool VisitParentId(const SpanView& span, TextArena& texts, CellVisitor visit) {
  return span.parent_span_id().IsZero() || visit(IdCell(span.parent_span_id().view(), texts));
}

// Fields of the span alone.
bool VisitOfSpan(Intrinsic intrinsic, const SpanView& span, TextArena& texts, CellVisitor visit) {
  switch (intrinsic) {
    case Intrinsic::kName:
      return visit(Cell::String(span.name()));
    case Intrinsic::kKind:
      return visit(Cell::Int(static_cast<int64_t>(span.kind())));
    case Intrinsic::kStatus:
      return visit(Cell::Int(static_cast<int64_t>(span.status_code())));
    case Intrinsic::kStatusMessage:
      return VisitIfNotEmpty(span.status_message(), visit);
    case Intrinsic::kStart:
      return visit(Cell::Int(ToInt(span.start_unix_ns())));
    case Intrinsic::kEnd:
      return visit(Cell::Int(ToInt(span.end_unix_ns())));
    case Intrinsic::kDuration:
      return visit(Cell::Int(span.duration_ns()));
    case Intrinsic::kTraceId:
      return visit(IdCell(span.trace_id().view(), texts));
    case Intrinsic::kSpanId:
      return visit(IdCell(span.span_id().view(), texts));
    case Intrinsic::kParentSpanId:
      return VisitParentId(span, texts, visit);
    case Intrinsic::kTraceState:
      return VisitIfNotEmpty(span.trace_state(), visit);
    case Intrinsic::kEventName:
    case Intrinsic::kEventTimeSinceStart:
      return VisitEvents(intrinsic, span, visit);
    case Intrinsic::kLinkTraceId:
    case Intrinsic::kLinkSpanId:
      return VisitLinks(intrinsic, span, texts, visit);
    default:
      return true;
  }
}

bool VisitOfOrigin(Intrinsic intrinsic, const StoredSpan& stored, CellVisitor visit) {
  if (intrinsic == Intrinsic::kService) return visit(Cell::String(stored.resource().service_name()));
  return VisitIfNotEmpty(intrinsic == Intrinsic::kScopeName ? stored.scope().name() : stored.scope().version(), visit);
}

Cell PlaceCell(Intrinsic intrinsic, const SpanPlace& place) {
  switch (intrinsic) {
    case Intrinsic::kChildCount:
      return Cell::Int(place.child_count);
    case Intrinsic::kNestedSetLeft:
      return Cell::Int(place.left);
    case Intrinsic::kNestedSetRight:
      return Cell::Int(place.right);
    default:
      return Cell::Int(place.parent_left);
  }
}

Cell TextOrNone(const std::optional<std::string>& text, TextArena& texts) {
  return text ? Cell::String(texts.Keep(*text)) : Cell();
}

Cell TraceCell(Intrinsic intrinsic, const TraceRow& row, TextArena& texts) {
  switch (intrinsic) {
    case Intrinsic::kTraceDuration:
      return Cell::Int(ToInt(row.duration_ns()));
    case Intrinsic::kTraceStart:
      return Cell::Int(ToInt(row.start_unix_ns));
    case Intrinsic::kTraceRootName:
      return TextOrNone(row.root_name, texts);
    case Intrinsic::kTraceRootService:
      return TextOrNone(row.root_service, texts);
    case Intrinsic::kTraceSpanCount:
      return Cell::Int(row.spans);
    default:
      return Cell::Int(row.errors);
  }
}

bool IsOriginIntrinsic(Intrinsic intrinsic) {
  return intrinsic == Intrinsic::kService || intrinsic == Intrinsic::kScopeName ||
         intrinsic == Intrinsic::kScopeVersion;
}

bool VisitIntrinsic(const Field& field, TraceReading& trace, size_t ordinal, TextArena& texts, CellVisitor visit) {
  if (IsOriginIntrinsic(field.intrinsic)) return VisitOfOrigin(field.intrinsic, trace.stored(ordinal), visit);
  if (field.needs_places()) return visit(PlaceCell(field.intrinsic, trace.place(ordinal)));
  if (field.is_of_trace()) return VisitIfAny(TraceCell(field.intrinsic, trace.row(), texts), visit);
  return VisitOfSpan(field.intrinsic, trace.view(ordinal), texts, visit);
}

}  // namespace

bool ForEachValue(const ValueView& value, TextArena& texts, CellVisitor visit) {
  if (value.kind() != ValueView::Kind::kArray) return VisitIfAny(CellOf(value, texts), visit);
  for (const ValueView element : value.array()) {
    if (!VisitIfAny(CellOf(element, texts), visit)) return false;
  }
  return true;
}

bool ForEachValue(const Field& field, TraceReading& trace, size_t ordinal, TextArena& texts, CellVisitor visit) {
  if (!field.is_attribute()) return VisitIntrinsic(field, trace, ordinal, texts, visit);
  const auto visit_values = [&](const ValueView& value) { return ForEachValue(value, texts, visit); };
  return ForEachAttribute(field, trace, ordinal, visit_values, visit);
}

bool ForEachAttribute(const Field& field, TraceReading& trace, size_t ordinal, AttributeVisitor visit_attribute,
                      CellVisitor visit_tag) {
  const StoredSpan& stored = trace.stored(ordinal);
  if (field.scope == AttributeScope::kResource) {
    return VisitAttributes(stored.resource().attributes(), field.key, visit_attribute);
  }
  if (field.scope == AttributeScope::kInstrumentation) {
    return VisitAttributes(stored.scope().attributes(), field.key, visit_attribute);
  }
  const SpanView& span = trace.view(ordinal);
  switch (field.scope) {
    case AttributeScope::kEvent:
      return VisitAttributesOfEach(span.events(), field.key, visit_attribute);
    case AttributeScope::kLink:
      return VisitAttributesOfEach(span.links(), field.key, visit_attribute);
    case AttributeScope::kSpanThenResource:
      return VisitSpanThenResource(stored, span, field.key, visit_attribute);
    case AttributeScope::kAnywhere:
      return VisitAnywhere(stored, span, field.key, visit_attribute, visit_tag);
    default:
      return VisitAttributes(span.attributes(), field.key, visit_attribute);
  }
}

bool IsOfOrigin(const Field& field) {
  if (!field.is_attribute()) return IsOriginIntrinsic(field.intrinsic);
  return field.scope == AttributeScope::kResource || field.scope == AttributeScope::kInstrumentation;
}

}  // namespace spanloom::store::scan
