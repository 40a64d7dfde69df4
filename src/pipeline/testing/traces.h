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

[[nodiscard]] inline otlp::TraceId TraceNumber(uint8_t number) {
  otlp::TraceId id;
  id.bytes.fill(number);
  return id;
}

// A request of the service vllm-decode with a span for each pair of the number of its trace and its name.
[[nodiscard]] inline otlp::Batch TracesOf(const std::vector<std::pair<uint8_t, std::string>>& spans) {
  std::string wire;
  otlp::RequestWriter request(wire);
  request.BeginResource(
      otlp::EncodeResource([](otlp::AttributeWriter& writer) { writer.String("service.name", "vllm-decode"); }));
  request.BeginScope({});
  for (const auto& [trace, name] : spans) {
    otlp::SpanFields fields = {.trace_id = TraceNumber(trace), .name = name};
    fields.span_id.bytes.fill(1);
    fields.parent_span_id.bytes.fill(2);
    request.BeginSpan(fields).End();
  }
  request.End();
  return otlp::Batch(otlp::Slice(Bytes(std::move(wire)), spans.size()));
}

}  // namespace spanloom::pipeline
