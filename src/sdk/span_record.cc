// SPDX-License-Identifier: Apache-2.0

#include "sdk/span_record.h"

namespace spanloom::sdk {
namespace {

// Span.flags beyond the W3C flags: whether the parent is in another process is known, and what is known.
constexpr uint32_t kHasIsRemote = 0x100;
constexpr uint32_t kIsRemote = 0x200;

uint32_t Flags(uint8_t w3c, bool is_remote) {
  return w3c | kHasIsRemote | (is_remote ? kIsRemote : 0);
}

// Writes one attribute by the type of its value.
struct ValueWriter {
  otlp::AttributeWriter& writer;
  std::string_view key;
  void operator()(bool value) const { writer.Bool(key, value); }
  void operator()(int64_t value) const { writer.Int(key, value); }
  void operator()(double value) const { writer.Double(key, value); }
  void operator()(const std::string& value) const { writer.String(key, value); }
};

void WriteAttributes(const Attributes& attributes, otlp::AttributeWriter& writer) {
  for (const Attribute& attribute : attributes) std::visit(ValueWriter{writer, attribute.key}, attribute.value);
}

void WriteSpan(const SpanRecord& span, otlp::RequestWriter& request) {
  otlp::SpanWriter writer = request.BeginSpan({.trace_id = span.context.trace_id,
                                               .span_id = span.context.span_id,
                                               .trace_state = span.context.trace_state,
                                               .parent_span_id = span.parent,
                                               .name = span.name,
                                               .kind = span.kind,
                                               .start_unix_ns = static_cast<uint64_t>(span.start_unix_ns),
                                               .end_unix_ns = static_cast<uint64_t>(span.end_unix_ns),
                                               .flags = Flags(span.context.flags, span.parent_is_remote)});
  otlp::AttributeWriter attributes = writer.attributes();
  WriteAttributes(span.attributes, attributes);
  for (const Event& event : span.events) {
    writer.AddEvent(static_cast<uint64_t>(event.unix_ns), event.name,
                    [&](otlp::AttributeWriter& of_event) { WriteAttributes(event.attributes, of_event); });
  }
  for (const TraceContext& link : span.links) {
    writer.AddLink({.trace_id = link.trace_id,
                    .span_id = link.span_id,
                    .trace_state = link.trace_state,
                    .flags = Flags(link.flags, link.is_remote)});
  }
  writer.SetDropped(span.dropped);
  writer.SetStatus(span.status, span.status_message);
  writer.End();
}

}  // namespace

std::string EncodeRequest(std::span<const std::unique_ptr<SpanRecord>> spans, std::string_view resource,
                          std::string_view scope) {
  std::string wire;
  otlp::RequestWriter request(wire);
  request.BeginResource(resource);
  request.BeginScope(scope);
  for (const auto& span : spans) WriteSpan(*span, request);
  request.End();
  return wire;
}

}  // namespace spanloom::sdk
