// SPDX-License-Identifier: Apache-2.0

#include "otlp/writer.h"

#include <bit>

#include "base/check.h"
#include "otlp/fields.h"

namespace spanloom::otlp {
namespace {

using wire::VarintSize;
using wire::Writer;

// Sizes that messages mostly have, for Writer::Begin.
constexpr size_t kSpanLengthSize = 2;     // 128 bytes to 16 KiB
constexpr size_t kRequestLengthSize = 3;  // 16 KiB to 2 MiB: ResourceSpans and ScopeSpans of a full batch

// All field numbers of these messages are below 16, so that a tag is one byte.
constexpr size_t BytesFieldSize(size_t size) {
  return 1 + VarintSize(size) + size;
}

// Each value as the one field of an AnyValue: how many bytes it takes, and how it is written.
struct TextField {
  uint32_t field;  // of a string or of bytes
  std::string_view value;
  [[nodiscard]] size_t size() const { return BytesFieldSize(value.size()); }
  void Write(Writer& writer) const { writer.Bytes(field, value); }
};

struct VarintField {
  uint32_t field;
  uint64_t value;
  [[nodiscard]] size_t size() const { return 1 + VarintSize(value); }
  void Write(Writer& writer) const { writer.Varint(field, value); }
};

struct DoubleField {
  double value;
  [[nodiscard]] static size_t size() { return 1 + sizeof(double); }
  void Write(Writer& writer) const { writer.Double(field::Value::kDouble, value); }
};

struct EncodedFields {
  std::string_view wire;
  [[nodiscard]] size_t size() const { return wire.size(); }
  void Write(Writer& writer) const { writer.Raw(wire); }
};

TextField StringOf(std::string_view value) {
  return {field::Value::kString, value};
}
TextField BytesOf(std::string_view value) {
  return {field::Value::kBytes, value};
}
VarintField BoolOf(bool value) {
  return {field::Value::kBool, value ? 1u : 0u};
}
VarintField IntOf(int64_t value) {
  return {field::Value::kInt, static_cast<uint64_t>(value)};
}

// A message with one AnyValue of known size in it, in one pass.
template <typename ValueFields>
void WriteAttribute(Writer& writer, uint32_t field, std::string_view key, const ValueFields& value) {
  const size_t value_size = value.size();
  writer.BeginSized(field, BytesFieldSize(key.size()) + BytesFieldSize(value_size));
  writer.Bytes(field::KeyValue::kKey, key);
  writer.BeginSized(field::KeyValue::kValue, value_size);
  value.Write(writer);
}

template <typename ValueFields>
void WriteElement(Writer& writer, const ValueFields& value) {
  writer.BeginSized(field::Array::kValues, value.size());
  value.Write(writer);
}

// The array or map of an AnyValue; `write` fills it.
template <typename Write>
void WriteNested(Writer& writer, uint32_t value_field, Write&& write) {
  const Writer::Mark mark = writer.Begin(value_field);
  write();
  writer.End(mark);
}

void WriteArray(Writer& writer, absl::FunctionRef<void(ArrayWriter&)> write_elements) {
  WriteNested(writer, field::Value::kArray, [&] {
    ArrayWriter elements(writer);
    write_elements(elements);
  });
}

void WriteMap(Writer& writer, absl::FunctionRef<void(AttributeWriter&)> write_entries) {
  WriteNested(writer, field::Value::kMap, [&] {
    AttributeWriter entries(writer, field::Map::kValues);
    write_entries(entries);
  });
}

// An attribute whose value is an array or a map that `write_value` writes.
template <typename WriteValue>
void WriteNestedAttribute(Writer& writer, uint32_t field, std::string_view key, WriteValue&& write_value) {
  const Writer::Mark attribute = writer.Begin(field);
  writer.Bytes(field::KeyValue::kKey, key);
  const Writer::Mark value = writer.Begin(field::KeyValue::kValue);
  write_value();
  writer.End(value);
  writer.End(attribute);
}

void WriteUnlessZero(Writer& writer, uint32_t field, uint32_t value) {
  if (value != 0) writer.Varint(field, value);
}

void WriteUnlessEmpty(Writer& writer, uint32_t field, std::string_view value) {
  if (!value.empty()) writer.Bytes(field, value);
}

template <typename Id>
void WriteUnlessZero(Writer& writer, uint32_t field, const Id& id) {
  if (!id.IsZero()) writer.Bytes(field, id.view());
}

}  // namespace

AttributeWriter& AttributeWriter::String(std::string_view key, std::string_view value) {
  WriteAttribute(writer_, field_, key, StringOf(value));
  return *this;
}

AttributeWriter& AttributeWriter::Bool(std::string_view key, bool value) {
  WriteAttribute(writer_, field_, key, BoolOf(value));
  return *this;
}

AttributeWriter& AttributeWriter::Int(std::string_view key, int64_t value) {
  WriteAttribute(writer_, field_, key, IntOf(value));
  return *this;
}

AttributeWriter& AttributeWriter::Double(std::string_view key, double value) {
  WriteAttribute(writer_, field_, key, DoubleField{value});
  return *this;
}

AttributeWriter& AttributeWriter::Bytes(std::string_view key, std::string_view value) {
  WriteAttribute(writer_, field_, key, BytesOf(value));
  return *this;
}

AttributeWriter& AttributeWriter::Array(std::string_view key, absl::FunctionRef<void(ArrayWriter&)> write_elements) {
  WriteNestedAttribute(writer_, field_, key, [&] { WriteArray(writer_, write_elements); });
  return *this;
}

AttributeWriter& AttributeWriter::Map(std::string_view key, absl::FunctionRef<void(AttributeWriter&)> write_entries) {
  WriteNestedAttribute(writer_, field_, key, [&] { WriteMap(writer_, write_entries); });
  return *this;
}

AttributeWriter& AttributeWriter::Encoded(std::string_view key, std::string_view any_value) {
  WriteAttribute(writer_, field_, key, EncodedFields{any_value});
  return *this;
}

AttributeWriter& AttributeWriter::Copy(const AttributeView& attribute) {
  writer_.Bytes(field_, attribute.wire());
  return *this;
}

ArrayWriter& ArrayWriter::String(std::string_view value) {
  WriteElement(writer_, StringOf(value));
  return *this;
}

ArrayWriter& ArrayWriter::Bool(bool value) {
  WriteElement(writer_, BoolOf(value));
  return *this;
}

ArrayWriter& ArrayWriter::Int(int64_t value) {
  WriteElement(writer_, IntOf(value));
  return *this;
}

ArrayWriter& ArrayWriter::Double(double value) {
  WriteElement(writer_, DoubleField{value});
  return *this;
}

ArrayWriter& ArrayWriter::Bytes(std::string_view value) {
  WriteElement(writer_, BytesOf(value));
  return *this;
}

ArrayWriter& ArrayWriter::Array(absl::FunctionRef<void(ArrayWriter&)> write_elements) {
  WriteNested(writer_, field::Array::kValues, [&] { WriteArray(writer_, write_elements); });
  return *this;
}

ArrayWriter& ArrayWriter::Map(absl::FunctionRef<void(AttributeWriter&)> write_entries) {
  WriteNested(writer_, field::Array::kValues, [&] { WriteMap(writer_, write_entries); });
  return *this;
}

ArrayWriter& ArrayWriter::Encoded(std::string_view any_value) {
  WriteElement(writer_, EncodedFields{any_value});
  return *this;
}

SpanWriter::SpanWriter(const Writer& writer, const SpanFields& fields)
    : writer_(writer), mark_(writer_.Begin(field::ScopeSpans::kSpans, kSpanLengthSize)), flags_(fields.flags) {
  WriteUnlessZero(writer_, field::Span::kTraceId, fields.trace_id);
  WriteUnlessZero(writer_, field::Span::kSpanId, fields.span_id);
  WriteUnlessEmpty(writer_, field::Span::kTraceState, fields.trace_state);
  WriteUnlessZero(writer_, field::Span::kParentSpanId, fields.parent_span_id);
  WriteUnlessEmpty(writer_, field::Span::kName, fields.name);
  if (fields.kind != SpanKind::kUnspecified) {
    writer_.Varint(field::Span::kKind, static_cast<uint64_t>(static_cast<int64_t>(fields.kind)));
  }
  writer_.Fixed64(field::Span::kStartTime, fields.start_unix_ns);
  writer_.Fixed64(field::Span::kEndTime, fields.end_unix_ns);
}

AttributeWriter SpanWriter::attributes() const {
  return {writer_, field::Span::kAttributes};
}

void SpanWriter::AddEvent(uint64_t time_unix_ns, std::string_view name,
                          absl::FunctionRef<void(AttributeWriter&)> write_attributes, uint32_t dropped_attributes) {
  const Writer::Mark mark = writer_.Begin(field::Span::kEvents);
  writer_.Fixed64(field::Event::kTime, time_unix_ns);
  WriteUnlessEmpty(writer_, field::Event::kName, name);
  AttributeWriter attributes(writer_, field::Event::kAttributes);
  write_attributes(attributes);
  WriteUnlessZero(writer_, field::Event::kDroppedAttributesCount, dropped_attributes);
  writer_.End(mark);
}

void SpanWriter::AddLink(const LinkFields& link, absl::FunctionRef<void(AttributeWriter&)> write_attributes,
                         uint32_t dropped_attributes) {
  const Writer::Mark mark = writer_.Begin(field::Span::kLinks);
  WriteUnlessZero(writer_, field::Link::kTraceId, link.trace_id);
  WriteUnlessZero(writer_, field::Link::kSpanId, link.span_id);
  WriteUnlessEmpty(writer_, field::Link::kTraceState, link.trace_state);
  AttributeWriter attributes(writer_, field::Link::kAttributes);
  write_attributes(attributes);
  WriteUnlessZero(writer_, field::Link::kDroppedAttributesCount, dropped_attributes);
  if (link.flags != 0) writer_.Fixed32(field::Link::kFlags, link.flags);
  writer_.End(mark);
}

void SpanWriter::SetDropped(const DroppedCounts& dropped) {
  WriteUnlessZero(writer_, field::Span::kDroppedAttributesCount, dropped.attributes);
  WriteUnlessZero(writer_, field::Span::kDroppedEventsCount, dropped.events);
  WriteUnlessZero(writer_, field::Span::kDroppedLinksCount, dropped.links);
}

void SpanWriter::SetStatus(StatusCode code, std::string_view message) {
  const Writer::Mark mark = writer_.Begin(field::Span::kStatus);
  WriteUnlessEmpty(writer_, field::Status::kMessage, message);
  if (code != StatusCode::kUnset) {
    writer_.Varint(field::Status::kCode, static_cast<uint64_t>(static_cast<int64_t>(code)));
  }
  writer_.End(mark);
}

void SpanWriter::End() {
  if (flags_ != 0) writer_.Fixed32(field::Span::kFlags, flags_);
  writer_.End(mark_);
}

std::string EncodeArray(absl::FunctionRef<void(ArrayWriter&)> write_elements) {
  std::string wire;
  Writer writer(wire);
  WriteArray(writer, write_elements);
  return wire;
}

std::string EncodeMap(absl::FunctionRef<void(AttributeWriter&)> write_entries) {
  std::string wire;
  Writer writer(wire);
  WriteMap(writer, write_entries);
  return wire;
}

std::string EncodeResource(absl::FunctionRef<void(AttributeWriter&)> write_attributes) {
  std::string wire;
  AttributeWriter attributes(Writer(wire), field::Resource::kAttributes);
  write_attributes(attributes);
  return wire;
}

std::string EncodeScope(const ScopeFields& fields, absl::FunctionRef<void(AttributeWriter&)> write_attributes) {
  std::string wire;
  Writer writer(wire);
  WriteUnlessEmpty(writer, field::Scope::kName, fields.name);
  WriteUnlessEmpty(writer, field::Scope::kVersion, fields.version);
  AttributeWriter attributes(writer, field::Scope::kAttributes);
  write_attributes(attributes);
  return wire;
}

void RequestWriter::BeginResource(std::string_view resource, std::string_view schema_url) {
  End();
  in_resource_ = true;
  resource_spans_ = writer_.Begin(field::Request::kResourceSpans, kRequestLengthSize);
  writer_.Bytes(field::ResourceSpans::kResource, resource);
  resource_schema_url_ = schema_url;
}

void RequestWriter::BeginScope(std::string_view scope, std::string_view schema_url) {
  CHECK(in_resource_);
  EndScope();
  in_scope_ = true;
  scope_spans_ = writer_.Begin(field::ResourceSpans::kScopeSpans, kRequestLengthSize);
  writer_.Bytes(field::ScopeSpans::kScope, scope);
  scope_schema_url_ = schema_url;
}

SpanWriter RequestWriter::BeginSpan(const SpanFields& fields) {
  CHECK(in_scope_);
  return {writer_, fields};
}

void RequestWriter::AddEncodedSpans(std::string_view fields) {
  CHECK(in_scope_);
  writer_.Raw(fields);
}

void RequestWriter::EndScope() {
  if (!in_scope_) return;
  WriteUnlessEmpty(writer_, field::ScopeSpans::kSchemaUrl, scope_schema_url_);
  writer_.End(scope_spans_);
  in_scope_ = false;
}

void RequestWriter::End() {
  if (!in_resource_) return;
  EndScope();
  WriteUnlessEmpty(writer_, field::ResourceSpans::kSchemaUrl, resource_schema_url_);
  writer_.End(resource_spans_);
  in_resource_ = false;
}

}  // namespace spanloom::otlp
