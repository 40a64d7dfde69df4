// SPDX-License-Identifier: Apache-2.0
//
// For tests: export requests with spans of several traces.

#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "otlp/batch.h"
#include "otlp/writer.h"

namespace spanloom::pipeline {

// What a test says of a span.
struct SpanSketch {
  uint8_t trace = 1;
  std::string name = "span";
  std::string service = "vllm-decode";
  bool is_root = false;
  uint64_t start_ms = 1'000;
  uint64_t end_ms = 1'000;
  otlp::StatusCode status = otlp::StatusCode::kUnset;
  std::string trace_state = {};
  uint32_t flags = 0;
  std::vector<std::pair<std::string, std::string>> texts = {};
  std::vector<std::pair<std::string, int64_t>> numbers = {};
  std::vector<std::pair<std::string, bool>> truths = {};
  std::vector<std::string> events = {};
};

[[nodiscard]] inline otlp::TraceId TraceNumber(uint8_t number) {
  otlp::TraceId id;
  id.bytes.fill(number);
  return id;
}

inline void WriteSketch(const SpanSketch& sketch, otlp::RequestWriter& request) {
  constexpr uint64_t kMs = 1'000'000;
  otlp::SpanFields fields = {.trace_id = TraceNumber(sketch.trace),
                             .trace_state = sketch.trace_state,
                             .name = sketch.name,
                             .start_unix_ns = sketch.start_ms * kMs,
                             .end_unix_ns = sketch.end_ms * kMs,
                             .flags = sketch.flags};
  fields.span_id.bytes.fill(1);
  if (!sketch.is_root) fields.parent_span_id.bytes.fill(2);
  otlp::SpanWriter span = request.BeginSpan(fields);
  otlp::AttributeWriter attributes = span.attributes();
  for (const auto& [key, value] : sketch.texts) attributes.String(key, value);
  for (const auto& [key, value] : sketch.numbers) attributes.Int(key, value);
  for (const auto& [key, value] : sketch.truths) attributes.Bool(key, value);
  for (const std::string& event : sketch.events) span.AddEvent(1, event);
  span.SetStatus(sketch.status);
  span.End();
}

// A request with these spans, each in the resource of its service.
[[nodiscard]] inline otlp::Batch RequestOf(const std::vector<SpanSketch>& sketches) {
  std::string wire;
  otlp::RequestWriter request(wire);
  const std::string* service = nullptr;
  for (const SpanSketch& sketch : sketches) {
    if (service == nullptr || *service != sketch.service) {
      service = &sketch.service;
      request.BeginResource(
          otlp::EncodeResource([&](otlp::AttributeWriter& writer) { writer.String("service.name", *service); }));
      request.BeginScope({});
    }
    WriteSketch(sketch, request);
  }
  request.End();
  return otlp::Batch(otlp::Slice(Bytes(std::move(wire)), sketches.size()));
}

// A request with a span for each pair of the number of its trace and its name.
[[nodiscard]] inline otlp::Batch TracesOf(const std::vector<std::pair<uint8_t, std::string>>& spans) {
  std::vector<SpanSketch> sketches;
  for (const auto& [trace, name] : spans) sketches.push_back({.trace = trace, .name = name});
  return RequestOf(sketches);
}

}  // namespace spanloom::pipeline
