// SPDX-License-Identifier: Apache-2.0

#include "query/jaeger/trace_json.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "store/span_tags.h"
#include "store/value_text.h"

namespace spanloom::query::jaeger {
namespace {

using otlp::AttributeView;
using otlp::EventView;
using otlp::LinkView;
using otlp::ResourceView;
using otlp::SpanView;
using otlp::ValueView;
using store::StoredSpan;

constexpr int64_t kJsIntegerMax = (1LL << 53) - 1;  // Number.MAX_SAFE_INTEGER
constexpr uint64_t kNsPerUs = 1'000;

// The last eight bits are W3C's trace flags; the others are OTLP's own (trace.proto, SpanFlags).
constexpr uint32_t kTraceFlagsMask = 0xFF;

void WriteInteger(int64_t value, JsonWriter& json) {
  if (value > kJsIntegerMax || value < -kJsIntegerMax) {
    json.String(StrCat(value));
  } else {
    json.Int(value);
  }
}

std::string_view TypeOf(ValueView::Kind kind) {
  switch (kind) {
    case ValueView::Kind::kBool:
      return "bool";
    case ValueView::Kind::kInt:
      return "int64";
    case ValueView::Kind::kDouble:
      return "float64";
    case ValueView::Kind::kBytes:
      return "binary";
    default:
      return "string";
  }
}

void WriteValue(const ValueView& value, JsonWriter& json) {
  switch (value.kind()) {
    case ValueView::Kind::kBool:
      return json.Bool(value.bool_value());
    case ValueView::Kind::kInt:
      return WriteInteger(value.int_value(), json);
    case ValueView::Kind::kDouble:
      return json.Double(value.double_value());
    case ValueView::Kind::kBytes:
      return json.Base64(value.bytes_value());
    case ValueView::Kind::kString:
      return json.String(value.string_value());
    default:
      return json.String(store::ValueText(value));
  }
}

void WriteKeyValue(const AttributeView& attribute, JsonWriter& json) {
  json.BeginObject();
  json.Field("key", attribute.key());
  json.Field("type", TypeOf(attribute.value().kind()));
  json.Key("value");
  WriteValue(attribute.value(), json);
  json.EndObject();
}

void WriteKeyString(std::string_view key, std::string_view value, JsonWriter& json) {
  json.BeginObject();
  json.Field("key", key);
  json.Field("type", "string");
  json.Field("value", value);
  json.EndObject();
}

void WriteTags(const store::SpanTags& tags, JsonWriter& json) {
  for (const store::SpanTag& tag : tags) {
    if (!tag.is_bool) {
      WriteKeyString(tag.key, tag.text, json);
      continue;
    }
    json.BeginObject();
    json.Field("key", tag.key);
    json.Field("type", "bool");
    json.Field("value", tag.text == "true");
    json.EndObject();
  }
}

void WriteSpanTags(const StoredSpan& stored, const SpanView& span, JsonWriter& json) {
  json.BeginArray();
  WriteTags(store::TagsOf(stored.scope()), json);
  for (const AttributeView attribute : span.attributes()) WriteKeyValue(attribute, json);
  WriteTags(store::TagsOf(span), json);
  json.EndArray();
}

void WriteLog(const EventView& event, JsonWriter& json) {
  json.BeginObject();
  json.Field("timestamp", event.time_unix_ns() / kNsPerUs);
  json.Key("fields");
  json.BeginArray();
  if (!event.name().empty() && !otlp::FindAttribute(event.attributes(), "event")) {
    WriteKeyString("event", event.name(), json);
  }
  for (const AttributeView attribute : event.attributes()) WriteKeyValue(attribute, json);
  json.EndArray();
  json.EndObject();
}

void WriteLogs(const SpanView& span, JsonWriter& json) {
  json.BeginArray();
  for (const EventView event : span.events()) WriteLog(event, json);
  json.EndArray();
}

// OpenTracing's bridge says in an attribute that a link is a parent.
std::string_view ReferenceType(const LinkView& link) {
  const auto type = otlp::FindAttribute(link.attributes(), "opentracing.ref_type");
  return type && type->string_value() == "child_of" ? "CHILD_OF" : "FOLLOWS_FROM";
}

void WriteReference(std::string_view type, const otlp::TraceId& trace_id, const otlp::SpanId& span_id,
                    JsonWriter& json) {
  json.BeginObject();
  json.Field("refType", type);
  json.Field("traceID", trace_id.Hex());
  json.Field("spanID", span_id.Hex());
  json.EndObject();
}

// The parent comes first, as those who look for the first CHILD_OF expect; links follow, one that names the parent too.
void WriteReferences(const SpanView& span, const TraceJsonOptions& options, JsonWriter& json) {
  json.BeginArray();
  if (!span.parent_span_id().IsZero()) WriteReference("CHILD_OF", span.trace_id(), span.parent_span_id(), json);
  for (const LinkView link : span.links()) {
    if (!options.is_raw && link.trace_id().IsZero()) continue;
    WriteReference(ReferenceType(link), link.trace_id(), link.span_id(), json);
  }
  json.EndArray();
}

void WriteWarnings(const SpanView& span, JsonWriter& json) {
  if (span.duration_ns() >= 0) return json.Null();
  json.BeginArray();
  json.String(StrCat("negative duration: the span ends ", span.start_unix_ns() - span.end_unix_ns(),
                     " ns before it starts; its duration is shown as 0"));
  json.EndArray();
}

void WriteProcess(const ResourceView& resource, JsonWriter& json) {
  json.BeginObject();
  json.Field("serviceName", resource.service_name());
  json.Key("tags");
  json.BeginArray();
  for (const AttributeView attribute : resource.attributes()) {
    if (attribute.key() != "service.name") WriteKeyValue(attribute, json);
  }
  json.EndArray();
  json.EndObject();
}

// Numbers the processes of a trace: spans whose resources are equal belong to the same one.
class Processes {
 public:
  // "p1", "p2", ... in the order of first use.
  std::string IdOf(const StoredSpan& span) {
    const std::string_view resource = span.origin->resource.view();
    const auto [number, is_new] = numbers_.try_emplace(resource, resources_.size() + 1);
    if (is_new) resources_.push_back(resource);
    return StrCat("p", number->second);
  }

  void Write(JsonWriter& json) const {
    json.BeginObject();
    for (size_t i = 0; i < resources_.size(); ++i) {
      json.Key(StrCat("p", i + 1));
      WriteProcess(ResourceView(resources_[i]), json);
    }
    json.EndObject();
  }

 private:
  absl::flat_hash_map<std::string_view, size_t, std::hash<std::string_view>> numbers_;  // by Resource message, from 1
  std::vector<std::string_view> resources_;                                             // [number - 1]
};

void WriteSpan(const StoredSpan& stored, const TraceJsonOptions& options, Processes& processes, JsonWriter& json) {
  const SpanView span = stored.span();
  const uint32_t flags = span.flags() & kTraceFlagsMask;
  json.BeginObject();
  json.Field("traceID", span.trace_id().Hex());
  json.Field("spanID", span.span_id().Hex());
  if (flags != 0) json.Field("flags", static_cast<uint64_t>(flags));
  json.Field("operationName", span.name());
  json.Key("references");
  WriteReferences(span, options, json);
  json.Field("startTime", span.start_unix_ns() / kNsPerUs);
  json.Field("duration", std::max<int64_t>(span.duration_ns(), 0) / static_cast<int64_t>(kNsPerUs));
  json.Key("tags");
  WriteSpanTags(stored, span, json);
  json.Key("logs");
  WriteLogs(span, json);
  json.Field("processID", processes.IdOf(stored));
  json.Key("warnings");
  WriteWarnings(span, json);
  json.EndObject();
}

}  // namespace

void WriteTraceJson(const store::Trace& trace, const TraceJsonOptions& options, JsonWriter& json) {
  Processes processes;
  json.BeginObject();
  json.Field("traceID", trace.id.Hex());
  json.Key("spans");
  json.BeginArray();
  for (const StoredSpan& span : trace.spans) WriteSpan(span, options, processes, json);
  json.EndArray();
  json.Key("processes");
  processes.Write(json);
  json.Key("warnings");
  json.Null();
  json.EndObject();
}

}  // namespace spanloom::query::jaeger
