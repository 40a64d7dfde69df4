// SPDX-License-Identifier: Apache-2.0

#include "store/conformance/request_builder.h"

#include <gtest/gtest.h>

#include "otlp/fields.h"
#include "otlp/validate.h"

namespace spanloom::store {
namespace {

using otlp::ArrayWriter;
using otlp::AttributeWriter;

template <typename Id>
Id MakeId(uint64_t number) {
  Id id;
  for (size_t i = 0; i < 8; ++i) id.bytes[id.bytes.size() - 1 - i] = static_cast<uint8_t>(number >> (8 * i));
  return id;
}

struct AttributeEncoder {
  AttributeWriter& writer;
  const std::string& key;
  void operator()(const std::string& value) const { writer.String(key, value); }
  void operator()(bool value) const { writer.Bool(key, value); }
  void operator()(int64_t value) const { writer.Int(key, value); }
  void operator()(double value) const { writer.Double(key, value); }
  void operator()(const EncodedValue& value) const { writer.Encoded(key, value.wire); }
};

struct ElementEncoder {
  ArrayWriter& writer;
  void operator()(const std::string& value) const { writer.String(value); }
  void operator()(bool value) const { writer.Bool(value); }
  void operator()(int64_t value) const { writer.Int(value); }
  void operator()(double value) const { writer.Double(value); }
  void operator()(const EncodedValue& value) const { writer.Encoded(value.wire); }
};

void WriteAll(const Attributes& attributes, AttributeWriter& writer) {
  for (const auto& [key, value] : attributes) std::visit(AttributeEncoder{writer, key}, value);
}

// Appends a `spans` field of ScopeSpans.
void WriteSpan(const SpanSpec& span, std::string& out) {
  otlp::SpanWriter writer(otlp::wire::Writer(out), {.trace_id = span.trace_id,
                                                    .span_id = span.span_id,
                                                    .trace_state = span.trace_state,
                                                    .parent_span_id = span.parent_span_id,
                                                    .name = span.name,
                                                    .kind = span.kind,
                                                    .start_unix_ns = span.start_unix_ns,
                                                    .end_unix_ns = span.end_unix_ns,
                                                    .flags = span.flags});
  AttributeWriter attributes = writer.attributes();
  WriteAll(span.attributes, attributes);
  for (const EventSpec& event : span.events) {
    writer.AddEvent(event.time_unix_ns, event.name, [&](AttributeWriter& w) { WriteAll(event.attributes, w); });
  }
  for (const LinkSpec& link : span.links) writer.AddLink({.trace_id = link.trace_id, .span_id = link.span_id});
  if (span.status_code != otlp::StatusCode::kUnset || !span.status_message.empty()) {
    writer.SetStatus(span.status_code, span.status_message);
  }
  writer.End();
}

}  // namespace

otlp::TraceId MakeTraceId(uint64_t number) {
  return MakeId<otlp::TraceId>(number);
}

otlp::SpanId MakeSpanId(uint64_t number) {
  return MakeId<otlp::SpanId>(number);
}

std::string Encode(const SpanSpec& span) {
  std::string field;
  WriteSpan(span, field);
  return std::string((*otlp::ScopeSpansView(field).spans().begin()).wire());
}

EncodedValue MakeArray(const std::vector<AttributeValue>& elements) {
  return {otlp::EncodeArray([&](ArrayWriter& array) {
    for (const AttributeValue& element : elements) std::visit(ElementEncoder{array}, element);
  })};
}

EncodedValue MakeMap(const Attributes& entries) {
  return {otlp::EncodeMap([&](AttributeWriter& map) { WriteAll(entries, map); })};
}

EncodedValue MakeBytes(std::string_view bytes) {
  EncodedValue value;
  otlp::wire::Writer(value.wire).Bytes(otlp::field::Value::kBytes, bytes);
  return value;
}

RequestBuilder& RequestBuilder::From(const Attributes& resource, std::string_view scope_name,
                                     std::string_view scope_version, const Attributes& scope_attributes) {
  writer_.BeginResource(otlp::EncodeResource([&](AttributeWriter& writer) { WriteAll(resource, writer); }));
  writer_.BeginScope(otlp::EncodeScope({.name = scope_name, .version = scope_version},
                                       [&](AttributeWriter& writer) { WriteAll(scope_attributes, writer); }));
  has_scope_ = true;
  return *this;
}

RequestBuilder& RequestBuilder::FromService(std::string_view service) {
  return From({{"service.name", std::string(service)}});
}

RequestBuilder& RequestBuilder::Add(const SpanSpec& span) {
  if (!has_scope_) From({});
  std::string field;
  WriteSpan(span, field);
  writer_.AddEncodedSpans(field);
  return *this;
}

otlp::Batch RequestBuilder::Build() {
  writer_.End();
  has_scope_ = false;
  return BatchOf(std::move(wire_));
}

otlp::Batch BatchOf(std::string wire) {
  const auto request = otlp::ValidateTraces(wire);
  EXPECT_TRUE(request.ok()) << request.status();
  return otlp::Batch(otlp::Slice(Bytes(std::move(wire)), request.ok() ? request->spans : 0));
}

}  // namespace spanloom::store
