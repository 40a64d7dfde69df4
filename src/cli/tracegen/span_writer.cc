// SPDX-License-Identifier: Apache-2.0

#include "cli/tracegen/span_writer.h"

#include "base/check.h"
#include "cli/tracegen/draw.h"
#include "semconv/names.h"

namespace spanloom::cli::tracegen {
namespace {

using otlp::ArrayWriter;
using otlp::AttributeWriter;

otlp::SpanFields FieldsOf(const otlp::TraceId& trace_id, const otlp::SpanId& span_id, int64_t origin_unix_ns,
                          const SpanHead& head) {
  return {.trace_id = trace_id,
          .span_id = span_id,
          .parent_span_id = head.parent,
          .name = head.name,
          .kind = head.kind,
          .start_unix_ns = static_cast<uint64_t>(origin_unix_ns + head.time.start_ns),
          .end_unix_ns = static_cast<uint64_t>(origin_unix_ns + head.time.end_ns),
          .flags = head.flags};
}

void WriteAll(StringAttributes attributes, AttributeWriter& writer) {
  for (const auto& [key, value] : attributes) writer.String(key, value);
}

}  // namespace

std::string EncodeResource(StringAttributes attributes) {
  return otlp::EncodeResource([&](AttributeWriter& writer) { WriteAll(attributes, writer); });
}

std::string EncodeScope(std::string_view name, std::string_view version, StringAttributes attributes) {
  return otlp::EncodeScope({.name = name, .version = version},
                           [&](AttributeWriter& writer) { WriteAll(attributes, writer); });
}

SpanWriter::SpanWriter(GeneratedTrace& trace, const otlp::TraceId& trace_id, otlp::SpanId span_id,
                       int64_t origin_unix_ns, const SpanHead& head)
    : trace_(trace),
      writer_(otlp::wire::Writer(trace.wire), FieldsOf(trace_id, span_id, origin_unix_ns, head)),
      span_id_(span_id),
      origin_unix_ns_(origin_unix_ns) {
  const size_t begin = trace_.spans.empty() ? 0 : trace_.spans.back().begin + trace_.spans.back().size;
  trace_.spans.push_back({.origin = head.origin, .begin = begin});
}

SpanWriter& SpanWriter::String(std::string_view key, std::string_view value) {
  writer_.attributes().String(key, value);
  return *this;
}

SpanWriter& SpanWriter::Int(std::string_view key, int64_t value) {
  writer_.attributes().Int(key, value);
  return *this;
}

SpanWriter& SpanWriter::Double(std::string_view key, double value) {
  writer_.attributes().Double(key, value);
  return *this;
}

SpanWriter& SpanWriter::Bool(std::string_view key, bool value) {
  writer_.attributes().Bool(key, value);
  return *this;
}

SpanWriter& SpanWriter::Strings(std::string_view key, std::initializer_list<std::string_view> values) {
  writer_.attributes().Array(key, [&](ArrayWriter& array) {
    for (const std::string_view value : values) array.String(value);
  });
  return *this;
}

SpanWriter& SpanWriter::Doubles(std::string_view key, std::initializer_list<double> values) {
  writer_.attributes().Array(key, [&](ArrayWriter& array) {
    for (const double value : values) array.Double(value);
  });
  return *this;
}

SpanWriter& SpanWriter::Exception(int64_t time_ns, std::string_view type, std::string_view message) {
  writer_.AddEvent(static_cast<uint64_t>(origin_unix_ns_ + time_ns), semconv::exception::kEvent,
                   [&](AttributeWriter& attributes) {
                     attributes.String(semconv::exception::kType, type).String(semconv::exception::kMessage, message);
                   });
  return *this;
}

otlp::SpanId SpanWriter::End(otlp::StatusCode code, std::string_view message) {
  writer_.SetStatus(code, message);
  writer_.End();
  GeneratedTrace::Span& span = trace_.spans.back();
  span.size = trace_.wire.size() - span.begin;
  return span_id_;
}

TraceWriter::TraceWriter(GeneratedTrace& trace, Rng& rng, int64_t origin_unix_ns)
    : trace_(trace), rng_(rng), origin_unix_ns_(origin_unix_ns), trace_id_(DrawId<otlp::TraceId>(rng)) {
  trace_.Clear();
}

otlp::SpanId TraceWriter::NewSpanId() {
  return DrawId<otlp::SpanId>(rng_);
}

SpanWriter TraceWriter::Begin(const SpanHead& head, otlp::SpanId span_id) {
  DCHECK(trace_.spans.empty() || trace_.spans.back().size > 0);
  DCHECK(head.time.start_ns <= head.time.end_ns);
  return {trace_, trace_id_, span_id, origin_unix_ns_, head};
}

}  // namespace spanloom::cli::tracegen
