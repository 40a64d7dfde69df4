// SPDX-License-Identifier: Apache-2.0

#include "sdk/span_record.h"

#include "base/check.h"
#include "base/utf8.h"

namespace spanloom::sdk {
namespace {

// Span.flags beyond the W3C flags: whether the parent is in another process is known, and what is known.
constexpr uint32_t kHasIsRemote = 0x100;
constexpr uint32_t kIsRemote = 0x200;

uint32_t Flags(uint8_t w3c, bool is_remote) {
  return w3c | kHasIsRemote | (is_remote ? kIsRemote : 0);
}

// `text`, or what it becomes as UTF-8, which `repaired` keeps.
std::string_view Readable(std::string_view text, std::string& repaired) {
  if (IsUtf8(text)) return text;
  repaired = RepairUtf8(text);
  return repaired;
}

void WriteEvent(const Event& event, otlp::SpanWriter& writer) {
  std::string repaired;
  writer.AddEvent(
      static_cast<uint64_t>(event.unix_ns), Readable(event.name, repaired),
      [&](otlp::AttributeWriter& attributes) { WriteAttributes(event.attributes, attributes); },
      event.dropped_attributes);
}

void WriteLink(const Link& link, otlp::SpanWriter& writer) {
  const otlp::LinkFields fields = {.trace_id = link.context.trace_id,
                                   .span_id = link.context.span_id,
                                   .trace_state = link.context.trace_state,
                                   .flags = Flags(link.context.flags, link.context.is_remote)};
  writer.AddLink(
      fields, [&](otlp::AttributeWriter& attributes) { WriteAttributes(link.attributes, attributes); },
      link.dropped_attributes);
}

void WriteSpan(const SpanRecord& span, otlp::RequestWriter& request) {
  std::string repaired_name;
  std::string repaired_message;
  otlp::SpanWriter writer = request.BeginSpan({.trace_id = span.context.trace_id,
                                               .span_id = span.context.span_id,
                                               .trace_state = span.context.trace_state,
                                               .parent_span_id = span.parent,
                                               .name = Readable(span.name, repaired_name),
                                               .kind = span.kind,
                                               .start_unix_ns = static_cast<uint64_t>(span.start_unix_ns),
                                               .end_unix_ns = static_cast<uint64_t>(span.end_unix_ns),
                                               .flags = Flags(span.context.flags, span.parent_is_remote)});
  otlp::AttributeWriter attributes = writer.attributes();
  WriteAttributes(span.attributes, attributes);
  for (const Event& event : span.events) WriteEvent(event, writer);
  for (const Link& link : span.links) WriteLink(link, writer);
  writer.SetDropped(span.dropped);
  writer.SetStatus(span.status, Readable(span.status_message, repaired_message));
  writer.End();
}

}  // namespace

std::string EncodeRequest(std::span<const std::unique_ptr<SpanRecord>> spans, std::string_view resource,
                          std::span<const std::string> scopes) {
  std::string wire;
  otlp::RequestWriter request(wire);
  request.BeginResource(resource);
  size_t written = 0;
  for (size_t scope = 0; scope < scopes.size(); ++scope) {
    bool is_begun = false;
    for (const auto& span : spans) {
      if (span->scope != scope) continue;
      if (!is_begun) request.BeginScope(scopes[scope]);
      is_begun = true;
      WriteSpan(*span, request);
      ++written;
    }
  }
  CHECK(written == spans.size());  // every span is of a scope that there is
  request.End();
  return wire;
}

}  // namespace spanloom::sdk
