// SPDX-License-Identifier: Apache-2.0

#include "cli/tracegen/span_writer.h"

#include <cstring>

#include "base/check.h"
#include "semconv/names.h"

namespace spanloom::cli::tracegen {
namespace {

using otlp::wire::Writer;

// opentelemetry/proto/common/v1/common.proto and trace/v1/trace.proto.
namespace key_value {
constexpr uint32_t kKey = 1, kValue = 2;
}
namespace any_value {
constexpr uint32_t kString = 1, kBool = 2, kInt = 3, kDouble = 4, kArray = 5;
}
namespace array_value {
constexpr uint32_t kValues = 1;
}
namespace resource_field {
constexpr uint32_t kAttributes = 1;
}
namespace scope_field {
constexpr uint32_t kName = 1, kVersion = 2, kAttributes = 3;
}
namespace scope_spans_field {
constexpr uint32_t kSpans = 2;
}
namespace span_field {
constexpr uint32_t kTraceId = 1, kSpanId = 2, kParentSpanId = 4, kName = 5, kKind = 6, kStart = 7, kEnd = 8,
                   kAttributes = 9, kEvents = 11, kStatus = 15, kFlags = 16;
}
namespace event_field {
constexpr uint32_t kTime = 1, kName = 2, kAttributes = 3;
}
namespace status_field {
constexpr uint32_t kMessage = 2, kCode = 3;
}

template <typename WriteValue>
void WriteAttribute(Writer& writer, uint32_t field, std::string_view key, WriteValue&& write_value) {
  const Writer::Mark attribute = writer.Begin(field);
  writer.Bytes(key_value::kKey, key);
  const Writer::Mark value = writer.Begin(key_value::kValue);
  write_value();
  writer.End(value);
  writer.End(attribute);
}

void WriteString(Writer& writer, uint32_t field, std::string_view key, std::string_view value) {
  WriteAttribute(writer, field, key, [&] { writer.Bytes(any_value::kString, value); });
}

template <typename Values, typename WriteElement>
void WriteArray(Writer& writer, std::string_view key, const Values& values, WriteElement&& write_element) {
  WriteAttribute(writer, span_field::kAttributes, key, [&] {
    const Writer::Mark array = writer.Begin(any_value::kArray);
    for (const auto& value : values) {
      const Writer::Mark element = writer.Begin(array_value::kValues);
      write_element(value);
      writer.End(element);
    }
    writer.End(array);
  });
}

template <typename Id>
Id RandomId(Rng& rng) {
  Id id;
  for (size_t at = 0; at < id.bytes.size(); at += sizeof(uint64_t)) {
    const uint64_t word = rng.Next() | (at == 0 ? 1 : 0);  // never all zero, which means "none"
    std::memcpy(id.bytes.data() + at, &word, sizeof(word));
  }
  return id;
}

}  // namespace

std::string EncodeResource(StringAttributes attributes) {
  std::string wire;
  Writer writer(wire);
  for (const auto& [key, value] : attributes) WriteString(writer, resource_field::kAttributes, key, value);
  return wire;
}

std::string EncodeScope(std::string_view name, std::string_view version, StringAttributes attributes) {
  std::string wire;
  Writer writer(wire);
  writer.Bytes(scope_field::kName, name);
  if (!version.empty()) writer.Bytes(scope_field::kVersion, version);
  for (const auto& [key, value] : attributes) WriteString(writer, scope_field::kAttributes, key, value);
  return wire;
}

SpanWriter::SpanWriter(GeneratedTrace& trace, const otlp::TraceId& trace_id, otlp::SpanId span_id,
                       int64_t origin_unix_ns, const SpanHead& head)
    : trace_(trace), writer_(trace.wire), span_id_(span_id), origin_unix_ns_(origin_unix_ns), flags_(head.flags) {
  trace_.spans.push_back({.origin = head.origin, .begin = trace_.wire.size()});
  mark_ = writer_.Begin(scope_spans_field::kSpans);
  writer_.Bytes(span_field::kTraceId, trace_id.view());
  writer_.Bytes(span_field::kSpanId, span_id_.view());
  if (!head.parent.IsZero()) writer_.Bytes(span_field::kParentSpanId, head.parent.view());
  writer_.Bytes(span_field::kName, head.name);
  writer_.Varint(span_field::kKind, static_cast<uint64_t>(head.kind));
  writer_.Fixed64(span_field::kStart, static_cast<uint64_t>(origin_unix_ns_ + head.time.start_ns));
  writer_.Fixed64(span_field::kEnd, static_cast<uint64_t>(origin_unix_ns_ + head.time.end_ns));
}

SpanWriter& SpanWriter::String(std::string_view key, std::string_view value) {
  WriteString(writer_, span_field::kAttributes, key, value);
  return *this;
}

SpanWriter& SpanWriter::Int(std::string_view key, int64_t value) {
  WriteAttribute(writer_, span_field::kAttributes, key,
                 [&] { writer_.Varint(any_value::kInt, static_cast<uint64_t>(value)); });
  return *this;
}

SpanWriter& SpanWriter::Double(std::string_view key, double value) {
  WriteAttribute(writer_, span_field::kAttributes, key, [&] { writer_.Double(any_value::kDouble, value); });
  return *this;
}

SpanWriter& SpanWriter::Bool(std::string_view key, bool value) {
  WriteAttribute(writer_, span_field::kAttributes, key, [&] { writer_.Varint(any_value::kBool, value ? 1 : 0); });
  return *this;
}

SpanWriter& SpanWriter::Strings(std::string_view key, std::initializer_list<std::string_view> values) {
  WriteArray(writer_, key, values, [&](std::string_view value) { writer_.Bytes(any_value::kString, value); });
  return *this;
}

SpanWriter& SpanWriter::Doubles(std::string_view key, std::initializer_list<double> values) {
  WriteArray(writer_, key, values, [&](double value) { writer_.Double(any_value::kDouble, value); });
  return *this;
}

SpanWriter& SpanWriter::Exception(int64_t time_ns, std::string_view type, std::string_view message) {
  const Writer::Mark event = writer_.Begin(span_field::kEvents);
  writer_.Fixed64(event_field::kTime, static_cast<uint64_t>(origin_unix_ns_ + time_ns));
  writer_.Bytes(event_field::kName, semconv::exception::kEvent);
  WriteString(writer_, event_field::kAttributes, semconv::exception::kType, type);
  WriteString(writer_, event_field::kAttributes, semconv::exception::kMessage, message);
  writer_.End(event);
  return *this;
}

otlp::SpanId SpanWriter::End(otlp::StatusCode code, std::string_view message) {
  // SDKs send the status always, empty if it is unset.
  const Writer::Mark status = writer_.Begin(span_field::kStatus);
  if (!message.empty()) writer_.Bytes(status_field::kMessage, message);
  if (code != otlp::StatusCode::kUnset) writer_.Varint(status_field::kCode, static_cast<uint64_t>(code));
  writer_.End(status);
  writer_.Fixed32(span_field::kFlags, flags_);
  writer_.End(mark_);
  GeneratedTrace::Span& span = trace_.spans.back();
  span.size = trace_.wire.size() - span.begin;
  return span_id_;
}

TraceWriter::TraceWriter(GeneratedTrace& trace, Rng& rng, int64_t origin_unix_ns)
    : trace_(trace), rng_(rng), origin_unix_ns_(origin_unix_ns), trace_id_(RandomId<otlp::TraceId>(rng)) {
  trace_.Clear();
}

otlp::SpanId TraceWriter::NewSpanId() {
  return RandomId<otlp::SpanId>(rng_);
}

SpanWriter TraceWriter::Begin(const SpanHead& head, otlp::SpanId span_id) {
  DCHECK(trace_.spans.empty() || trace_.spans.back().size > 0);
  DCHECK(head.time.start_ns <= head.time.end_ns);
  return {trace_, trace_id_, span_id, origin_unix_ns_, head};
}

}  // namespace spanloom::cli::tracegen
