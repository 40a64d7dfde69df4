// SPDX-License-Identifier: Apache-2.0
//
// For tests: a request of one span with attributes, and what attributes are left in it.

#pragma once

#include <absl/functional/function_ref.h>

#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/json_writer.h"
#include "otlp/batch.h"
#include "otlp/writer.h"
#include "store/value_text.h"

namespace spanloom::pipeline {

using WriteAttributes = absl::FunctionRef<void(otlp::AttributeWriter&)>;

struct AttributedSpan {
  otlp::SpanFields fields = {.trace_id = {}, .span_id = {}, .name = "span"};
  otlp::ScopeFields scope = {.name = "scope", .version = "1.0"};
  WriteAttributes resource_attributes = otlp::WriteNoAttributes;
  WriteAttributes scope_attributes = otlp::WriteNoAttributes;
  WriteAttributes attributes = otlp::WriteNoAttributes;
  // Of an event; without one if it is left as it is.
  WriteAttributes event_attributes = otlp::WriteNoAttributes;
  bool has_event = false;
};

inline otlp::Batch BatchOfSpan(const AttributedSpan& span) {
  std::string wire;
  otlp::RequestWriter request(wire);
  request.BeginResource(otlp::EncodeResource(span.resource_attributes));
  request.BeginScope(otlp::EncodeScope(span.scope, span.scope_attributes));
  otlp::SpanWriter writer = request.BeginSpan(span.fields);
  otlp::AttributeWriter attributes = writer.attributes();
  span.attributes(attributes);
  if (span.has_event) writer.AddEvent(1, "event", span.event_attributes);
  writer.End();
  request.End();
  return otlp::Batch(otlp::Slice(Bytes(std::move(wire)), 1));
}

// Each attribute as KEY=JSON, in order; a double has a D behind it.
template <typename Attributes>
std::vector<std::string> Shown(const Attributes& attributes) {
  std::vector<std::string> shown;
  for (const otlp::AttributeView attribute : attributes) {
    std::string text = std::string(attribute.key()) + "=";
    JsonWriter json(text);
    store::WriteValueJson(attribute.value(), json);
    if (attribute.value().kind() == otlp::ValueView::Kind::kDouble) text += "D";
    shown.push_back(std::move(text));
  }
  return shown;
}

// What of `batch` is left: of its one span, or of what it stands in.
struct ShownSpan {
  std::string name;
  std::string trace_state;
  std::string status_message;
  otlp::StatusCode status_code = otlp::StatusCode::kUnset;
  std::vector<std::string> resource_attributes;
  std::vector<std::string> scope_attributes;
  std::vector<std::string> attributes;
  std::vector<std::string> event_attributes;
};

inline std::vector<ShownSpan> ShownSpans(const otlp::Batch& batch) {
  std::vector<ShownSpan> spans;
  for (const otlp::Slice& slice : batch.slices()) {
    slice.ForEach([&](const otlp::SpanContext& context) {
      ShownSpan& span = spans.emplace_back();
      span.name = context.span.name();
      span.trace_state = context.span.trace_state();
      span.status_message = context.span.status_message();
      span.status_code = context.span.status_code();
      span.resource_attributes = Shown(context.resource.attributes());
      span.scope_attributes = Shown(context.scope.attributes());
      span.attributes = Shown(context.span.attributes());
      for (const otlp::EventView event : context.span.events()) span.event_attributes = Shown(event.attributes());
    });
  }
  return spans;
}

}  // namespace spanloom::pipeline
