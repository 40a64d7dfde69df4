// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/debug_text.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_format.h>
#include <absl/time/time.h>

#include <array>
#include <bit>
#include <cmath>
#include <map>

#include "base/json_writer.h"
#include "base/shortest_double.h"
#include "otlp/fields.h"
#include "otlp/wire/cursor.h"
#include "pipeline/exporters/debug_text_parts.h"

namespace spanloom::pipeline {
namespace {

using otlp::AttributeView;
using otlp::Signal;
using otlp::ValueView;
namespace field = otlp::field;

constexpr std::array<std::string_view, 6> kSpanKinds = {"Unspecified", "Internal", "Server",
                                                        "Client",      "Producer", "Consumer"};
constexpr std::array<std::string_view, 3> kStatusCodes = {"Unset", "Ok", "Error"};
constexpr std::array<std::string_view, 6> kSeverities = {"Trace", "Debug", "Info", "Warn", "Error", "Fatal"};

// "" for a value that has no name.
template <size_t kSize>
std::string_view NameOf(const std::array<std::string_view, kSize>& names, int64_t value) {
  return value >= 0 && value < static_cast<int64_t>(kSize) ? names[static_cast<size_t>(value)] : std::string_view();
}

// "Info", "Info2", ... of 9, 10, ...
std::string SeverityText(int32_t number) {
  constexpr int32_t kStepsPerName = 4;
  if (number == 0) return "Unspecified";
  const std::string_view name = NameOf(kSeverities, number < 0 ? -1 : (number - 1) / kStepsPerName);
  if (name.empty()) return {};
  const int32_t step = (number - 1) % kStepsPerName;
  return step == 0 ? std::string(name) : StrCat(name, step + 1);
}

void AppendJson(const ValueView& value, JsonWriter& json);

void AppendJsonMap(const ValueView& value, JsonWriter& json) {
  std::map<std::string_view, ValueView> in_order;  // the last one of a key
  for (const AttributeView item : value.map()) in_order.insert_or_assign(item.key(), item.value());
  json.BeginObject();
  for (const auto& [key, item] : in_order) {
    json.Key(key);
    AppendJson(item, json);
  }
  json.EndObject();
}

void AppendJson(const ValueView& value, JsonWriter& json) {
  switch (value.kind()) {
    case ValueView::Kind::kNone:
      return json.Null();
    case ValueView::Kind::kString:
      return json.String(value.string_value());
    case ValueView::Kind::kBytes:
      return json.Base64(value.bytes_value());
    case ValueView::Kind::kArray:
      json.BeginArray();
      for (const ValueView item : value.array()) AppendJson(item, json);
      return json.EndArray();
    case ValueView::Kind::kMap:
      return AppendJsonMap(value, json);
    case ValueView::Kind::kDouble:
      if (!std::isfinite(value.double_value())) return json.Double(value.double_value());
      [[fallthrough]];
    default:
      return json.Raw(ValueText(value));
  }
}

// As in JavaScript: an exponent of one digit has no zero in front of it if it is negative.
std::string DoubleText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  std::string text;
  AppendShortest(value, DoubleForm::kJson, text);
  const size_t zero_at = text.size() < 4 ? std::string::npos : text.size() - 2;
  if (zero_at != std::string::npos && text.compare(zero_at - 2, 3, "e-0") == 0) text.erase(zero_at, 1);
  return text;
}

struct SignalNames {
  std::string_view resource;  // detailed
  std::string_view scope;     // detailed
  std::string_view normal_resource;
  std::string_view normal_scope;
};

SignalNames NamesOf(Signal signal) {
  switch (signal) {
    case Signal::kTraces:
      return {"ResourceSpans", "ScopeSpans", "ResourceTraces", "ScopeTraces"};
    case Signal::kMetrics:
      return {"ResourceMetrics", "ScopeMetrics", "ResourceMetrics", "ScopeMetrics"};
    case Signal::kLogs:
      return {"ResourceLog", "ScopeLogs", "ResourceLog", "ScopeLog"};
  }
  return {};
}

void EntityLines(const otlp::ResourceView& resource, std::string& out) {
  size_t index = 0;
  for (const otlp::EntityRefView entity : resource.entity_refs()) {
    if (index == 0) Line(out, "Resource entity refs:");
    Line(out, "     -> Entity ref #", index++, ":");
    Line(out, "          -> Type: ", entity.type());
    if (!entity.schema_url().empty()) Line(out, "          -> Schema URL: ", entity.schema_url());
    if (!entity.id_keys().empty()) Line(out, "          -> ID keys:");
    for (const std::string_view key : entity.id_keys()) Line(out, "               -> ", key);
    if (!entity.description_keys().empty()) Line(out, "          -> Description keys:");
    for (const std::string_view key : entity.description_keys()) Line(out, "               -> ", key);
  }
}

void EventLines(const otlp::SpanView& span, std::string& out) {
  size_t index = 0;
  for (const otlp::EventView event : span.events()) {
    if (index == 0) Line(out, "Events:");
    Line(out, "SpanEvent #", index++);
    Line(out, "     -> Name: ", event.name());
    Line(out, "     -> Timestamp: ", TimeText(event.time_unix_ns()));
    Line(out, "     -> DroppedAttributesCount: ", event.dropped_attributes_count());
    AttributeLines("     -> Attributes:", "     ", event.attributes(), out);
  }
}

void LinkLines(const otlp::SpanView& span, std::string& out) {
  size_t index = 0;
  for (const otlp::LinkView link : span.links()) {
    if (index == 0) Line(out, "Links:");
    Line(out, "SpanLink #", index++);
    Line(out, "     -> Trace ID: ", IdText(link.trace_id()));
    Line(out, "     -> ID: ", IdText(link.span_id()));
    Line(out, "     -> TraceState: ", link.trace_state());
    Line(out, "     -> DroppedAttributesCount: ", link.dropped_attributes_count());
    AttributeLines("     -> Attributes:", "     ", link.attributes(), out);
  }
}

void DetailedSpan(std::string_view wire, std::string& out) {
  const otlp::SpanView span(wire);
  Line(out, "    Trace ID       : ", IdText(span.trace_id()));
  Line(out, "    Parent ID      : ", IdText(span.parent_span_id()));
  Line(out, "    ID             : ", IdText(span.span_id()));
  Line(out, "    Name           : ", span.name());
  Line(out, "    Kind           : ", NameOf(kSpanKinds, static_cast<int64_t>(span.kind())));
  if (!span.trace_state().empty()) Line(out, "    TraceState     : ", span.trace_state());
  Line(out, "    Start time     : ", TimeText(span.start_unix_ns()));
  Line(out, "    End time       : ", TimeText(span.end_unix_ns()));
  Line(out, "    Status code    : ", NameOf(kStatusCodes, static_cast<int64_t>(span.status_code())));
  Line(out, "    Status message : ", span.status_message());
  Line(out, "    DroppedAttributesCount: ", span.dropped_attributes_count());
  Line(out, "    DroppedEventsCount: ", span.dropped_events_count());
  Line(out, "    DroppedLinksCount: ", span.dropped_links_count());
  AttributeLines("Attributes", "", span.attributes(), out);
  EventLines(span, out);
  LinkLines(span, out);
}

void NormalSpan(std::string_view wire, std::string& out) {
  const otlp::SpanView span(wire);
  StrAppend(out, span.name(), " ", IdText(span.trace_id()), " ", IdText(span.span_id()));
  if (!span.attributes().empty()) StrAppend(out, " ", AttributesInLine(span.attributes(), " "));
  out += '\n';
}

using LogAttributes = otlp::RepeatedView<AttributeView, field::LogRecord::kAttributes>;

void DetailedLogRecord(std::string_view record, std::string& out) {
  const auto severity = static_cast<int32_t>(FieldOf(record, field::LogRecord::kSeverityNumber).scalar);
  const std::string_view event_name = FieldOf(record, field::LogRecord::kEventName).bytes;
  Line(out, "ObservedTimestamp: ", TimeText(FieldOf(record, field::LogRecord::kObservedTime).scalar));
  Line(out, "Timestamp: ", TimeText(FieldOf(record, field::LogRecord::kTime).scalar));
  Line(out, "SeverityText: ", FieldOf(record, field::LogRecord::kSeverityText).bytes);
  Line(out, "SeverityNumber: ", SeverityText(severity), "(", severity, ")");
  if (!event_name.empty()) Line(out, "EventName: ", event_name);
  Line(out, "Body: ", TypedValueText(ValueView(FieldOf(record, field::LogRecord::kBody).bytes)));
  AttributeLines("Attributes", "", LogAttributes(record), out);
  Line(out, "Trace ID: ", IdText(FieldOf(record, field::LogRecord::kTraceId).bytes));
  Line(out, "Span ID: ", IdText(FieldOf(record, field::LogRecord::kSpanId).bytes));
  Line(out, "Flags: ", FieldOf(record, field::LogRecord::kFlags).scalar);
}

void NormalLogRecord(std::string_view record, std::string& out) {
  Line(out, ValueText(ValueView(FieldOf(record, field::LogRecord::kBody).bytes)), " ",
       AttributesInLine(LogAttributes(record), " "));
}

void DetailedItem(Signal signal, std::string_view wire, size_t index, std::string& out) {
  switch (signal) {
    case Signal::kTraces:
      Line(out, "Span #", index);
      return DetailedSpan(wire, out);
    case Signal::kMetrics:
      Line(out, "Metric #", index);
      return DetailedMetric(wire, out);
    case Signal::kLogs:
      Line(out, "LogRecord #", index);
      return DetailedLogRecord(wire, out);
  }
}

void NormalItem(Signal signal, std::string_view wire, std::string& out) {
  switch (signal) {
    case Signal::kTraces:
      return NormalSpan(wire, out);
    case Signal::kMetrics:
      return NormalMetric(wire, out);
    case Signal::kLogs:
      return NormalLogRecord(wire, out);
  }
}

// Spans, metrics or log records; they stand in the same field.
otlp::RepeatedView<std::string_view, field::ScopeSpans::kSpans> ItemsOf(const otlp::ScopeSpansView& scope) {
  return otlp::RepeatedView<std::string_view, field::ScopeSpans::kSpans>(scope.wire());
}

void DetailedResource(Signal signal, const otlp::ResourceSpansView& resource, size_t index, std::string& out) {
  const SignalNames names = NamesOf(signal);
  Line(out, names.resource, " #", index);
  Line(out, "Resource SchemaURL: ", resource.schema_url());
  AttributeLines("Resource attributes", "", resource.resource().attributes(), out);
  EntityLines(resource.resource(), out);
  size_t scope_index = 0;
  for (const otlp::ScopeSpansView scope : resource.scope_spans()) {
    Line(out, names.scope, " #", scope_index++);
    Line(out, names.scope, " SchemaURL: ", scope.schema_url());
    Line(out, "InstrumentationScope ", scope.scope().name(), " ", scope.scope().version());
    AttributeLines("InstrumentationScope attributes", "", scope.scope().attributes(), out);
    size_t item_index = 0;
    for (const std::string_view item : ItemsOf(scope)) DetailedItem(signal, item, item_index++, out);
  }
}

// "name@version [url]".
std::string ScopeText(const otlp::ScopeSpansView& scope) {
  std::string text(scope.scope().name());
  if (!scope.scope().version().empty()) StrAppend(text, "@", scope.scope().version());
  if (!scope.schema_url().empty()) StrAppend(text, text.empty() ? "" : " ", "[", scope.schema_url(), "]");
  return text;
}

void NormalResource(Signal signal, const otlp::ResourceSpansView& resource, size_t index, std::string& out) {
  const auto append = [&](std::string_view text) {
    if (!text.empty()) StrAppend(out, " ", text);
  };
  const SignalNames names = NamesOf(signal);
  StrAppend(out, names.normal_resource, " #", index);
  if (!resource.schema_url().empty()) append(StrCat("[", resource.schema_url(), "]"));
  append(AttributesInLine(resource.resource().attributes(), " "));
  out += '\n';
  for (const otlp::ScopeSpansView scope : resource.scope_spans()) {
    StrAppend(out, names.normal_scope, " #", index);  // of the resource, as the Collector has it
    append(ScopeText(scope));
    append(AttributesInLine(scope.scope().attributes(), " "));
    out += '\n';
    for (const std::string_view item : ItemsOf(scope)) NormalItem(signal, item, out);
  }
}

template <typename Write>
std::string TextOf(const otlp::Batch& batch, Write write) {
  std::string out;
  size_t index = 0;
  for (const otlp::Slice& slice : batch.slices()) {
    if (slice.span_count() == 0) continue;
    const Bytes request = otlp::Batch(slice).Encode();
    for (const otlp::ResourceSpansView resource : otlp::TracesView(request.view()).resource_spans()) {
      write(batch.signal(), resource, index++, out);
    }
  }
  return out;
}

}  // namespace

double WireField::number() const {
  return std::bit_cast<double>(scalar);
}

WireField FieldOf(std::string_view message, uint32_t number) {
  WireField found;
  for (otlp::wire::Cursor cursor(message); cursor.Next();) {
    if (cursor.field() != number) continue;
    const bool is_bytes = cursor.type() == otlp::wire::Type::kBytes;
    found = {.is_there = true,
             .scalar = is_bytes ? 0 : cursor.scalar(),
             .bytes = is_bytes ? cursor.bytes() : std::string_view()};
  }
  return found;
}

std::string TimeText(uint64_t unix_ns) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%E*S +0000 UTC", absl::FromUnixNanos(static_cast<int64_t>(unix_ns)),
                          absl::UTCTimeZone());
}

std::string IdText(std::string_view id) {
  return id.find_first_not_of('\0') == std::string_view::npos ? std::string() : absl::BytesToHexString(AbslView(id));
}

std::string FixedText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return absl::StrFormat("%f", value);
}

std::string GeneralText(double value) {
  if (!std::isfinite(value)) return FixedText(value);
  std::string text;
  AppendShortest(value, DoubleForm::kGeneral, text);
  return text;
}

std::string ValueText(const ValueView& value) {
  switch (value.kind()) {
    case ValueView::Kind::kNone:
      return {};
    case ValueView::Kind::kString:
      return std::string(value.string_value());
    case ValueView::Kind::kBool:
      return value.bool_value() ? "true" : "false";
    case ValueView::Kind::kInt:
      return StrCat(value.int_value());
    case ValueView::Kind::kDouble:
      return DoubleText(value.double_value());
    case ValueView::Kind::kBytes:
      return absl::Base64Escape(AbslView(value.bytes_value()));
    case ValueView::Kind::kArray:
    case ValueView::Kind::kMap:
      break;
  }
  std::string text;
  JsonWriter json(text);
  AppendJson(value, json);
  return text;
}

std::string TypedValueText(const ValueView& value) {
  constexpr std::array<std::string_view, 8> kNames = {"Empty", "Str", "Bool", "Int", "Double", "Slice", "Map", "Bytes"};
  return StrCat(kNames[static_cast<size_t>(value.kind())], "(", ValueText(value), ")");
}

std::string NormalText(const otlp::Batch& batch) {
  return TextOf(batch, NormalResource);
}

std::string DetailedText(const otlp::Batch& batch) {
  return TextOf(batch, DetailedResource);
}

}  // namespace spanloom::pipeline
