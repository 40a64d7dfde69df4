// SPDX-License-Identifier: Apache-2.0

#include "store/conformance/request_builder.h"

#include <gtest/gtest.h>

#include "otlp/validate.h"

namespace spanloom::store {
namespace {

using otlp::wire::Writer;

template <typename Id>
Id MakeId(uint64_t number) {
  Id id;
  for (size_t i = 0; i < 8; ++i) id.bytes[id.bytes.size() - 1 - i] = static_cast<uint8_t>(number >> (8 * i));
  return id;
}

// Field numbers of opentelemetry/proto/common/v1/common.proto.
struct ValueEncoder {
  Writer& writer;
  void operator()(const std::string& value) const { writer.Bytes(1, value); }
  void operator()(bool value) const { writer.Varint(2, value ? 1 : 0); }
  void operator()(int64_t value) const { writer.Varint(3, static_cast<uint64_t>(value)); }
  void operator()(double value) const { writer.Double(4, value); }
  void operator()(const EncodedValue& value) const { writer.Raw(value.wire); }
};

void EncodeValue(uint32_t field, const AttributeValue& value, Writer& writer) {
  const Writer::Mark mark = writer.Begin(field);
  std::visit(ValueEncoder{writer}, value);
  writer.End(mark);
}

void EncodeAttributes(uint32_t field, const Attributes& attributes, Writer& writer) {
  for (const auto& [key, value] : attributes) {
    const Writer::Mark mark = writer.Begin(field);
    writer.Bytes(1, key);
    EncodeValue(2, value, writer);
    writer.End(mark);
  }
}

void EncodeEvent(const EventSpec& event, Writer& writer) {
  const Writer::Mark mark = writer.Begin(11);
  writer.Fixed64(1, event.time_unix_ns);
  writer.Bytes(2, event.name);
  EncodeAttributes(3, event.attributes, writer);
  writer.End(mark);
}

void EncodeLink(const LinkSpec& link, Writer& writer) {
  const Writer::Mark mark = writer.Begin(13);
  writer.Bytes(1, link.trace_id.view());
  writer.Bytes(2, link.span_id.view());
  writer.End(mark);
}

void EncodeStatus(const SpanSpec& span, Writer& writer) {
  if (span.status_code == otlp::StatusCode::kUnset && span.status_message.empty()) return;
  const Writer::Mark mark = writer.Begin(15);
  if (!span.status_message.empty()) writer.Bytes(2, span.status_message);
  writer.Varint(3, static_cast<uint64_t>(span.status_code));
  writer.End(mark);
}

}  // namespace

otlp::TraceId MakeTraceId(uint64_t number) {
  return MakeId<otlp::TraceId>(number);
}

otlp::SpanId MakeSpanId(uint64_t number) {
  return MakeId<otlp::SpanId>(number);
}

std::string Encode(const SpanSpec& span) {
  std::string wire;
  Writer writer(wire);
  writer.Bytes(1, span.trace_id.view());
  writer.Bytes(2, span.span_id.view());
  if (!span.trace_state.empty()) writer.Bytes(3, span.trace_state);
  if (!span.parent_span_id.IsZero()) writer.Bytes(4, span.parent_span_id.view());
  writer.Bytes(5, span.name);
  if (span.kind != otlp::SpanKind::kUnspecified) writer.Varint(6, static_cast<uint64_t>(span.kind));
  writer.Fixed64(7, span.start_unix_ns);
  writer.Fixed64(8, span.end_unix_ns);
  EncodeAttributes(9, span.attributes, writer);
  for (const EventSpec& event : span.events) EncodeEvent(event, writer);
  for (const LinkSpec& link : span.links) EncodeLink(link, writer);
  EncodeStatus(span, writer);
  if (span.flags != 0) writer.Fixed32(16, span.flags);
  return wire;
}

EncodedValue MakeArray(const std::vector<AttributeValue>& elements) {
  EncodedValue value;
  Writer writer(value.wire);
  const Writer::Mark mark = writer.Begin(5);
  for (const AttributeValue& element : elements) EncodeValue(1, element, writer);
  writer.End(mark);
  return value;
}

EncodedValue MakeMap(const Attributes& entries) {
  EncodedValue value;
  Writer writer(value.wire);
  const Writer::Mark mark = writer.Begin(6);
  EncodeAttributes(1, entries, writer);
  writer.End(mark);
  return value;
}

EncodedValue MakeBytes(std::string_view bytes) {
  EncodedValue value;
  Writer(value.wire).Bytes(7, bytes);
  return value;
}

RequestBuilder& RequestBuilder::From(const Attributes& resource, std::string_view scope_name,
                                     std::string_view scope_version, const Attributes& scope_attributes) {
  Close();
  is_open_ = true;
  resource_spans_ = writer_.Begin(1);
  const Writer::Mark resource_mark = writer_.Begin(1);
  EncodeAttributes(1, resource, writer_);
  writer_.End(resource_mark);
  scope_spans_ = writer_.Begin(2);
  const Writer::Mark scope_mark = writer_.Begin(1);
  writer_.Bytes(1, scope_name);
  writer_.Bytes(2, scope_version);
  EncodeAttributes(3, scope_attributes, writer_);
  writer_.End(scope_mark);
  return *this;
}

RequestBuilder& RequestBuilder::FromService(std::string_view service) {
  return From({{"service.name", std::string(service)}});
}

RequestBuilder& RequestBuilder::Add(const SpanSpec& span) {
  if (!is_open_) From({});
  writer_.Bytes(2, Encode(span));
  return *this;
}

otlp::Batch RequestBuilder::Build() {
  Close();
  return BatchOf(std::move(wire_));
}

void RequestBuilder::Close() {
  if (!is_open_) return;
  writer_.End(scope_spans_);
  writer_.End(resource_spans_);
  is_open_ = false;
}

otlp::Batch BatchOf(std::string wire) {
  const auto request = otlp::ValidateTraces(wire);
  EXPECT_TRUE(request.ok()) << request.status();
  return otlp::Batch(otlp::Slice(Bytes(std::move(wire)), request.ok() ? request->spans : 0));
}

}  // namespace spanloom::store
