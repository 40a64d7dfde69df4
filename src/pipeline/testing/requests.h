// SPDX-License-Identifier: Apache-2.0
//
// For tests: small export requests.

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "otlp/batch.h"
#include "otlp/writer.h"

namespace spanloom::pipeline {

// A request of the service vllm-decode with a span for each name, all of one trace.
inline otlp::Batch BatchOf(const std::vector<std::string>& names) {
  std::string wire;
  otlp::RequestWriter request(wire);
  request.BeginResource(
      otlp::EncodeResource([](otlp::AttributeWriter& writer) { writer.String("service.name", "vllm-decode"); }));
  request.BeginScope({});
  uint8_t number = 0;
  for (const std::string& name : names) {
    otlp::SpanFields fields = {.name = name};
    fields.trace_id.bytes.fill(1);
    fields.span_id.bytes.fill(++number);
    request.BeginSpan(fields).End();
  }
  request.End();
  return otlp::Batch(otlp::Slice(Bytes(std::move(wire)), names.size()));
}

// The names of the spans that are left in `batch`, in order.
inline std::vector<std::string> NamesOf(const otlp::Batch& batch) {
  std::vector<std::string> names;
  for (const otlp::Slice& slice : batch.slices()) {
    slice.ForEach([&](const otlp::SpanContext& context) { names.emplace_back(context.span.name()); });
  }
  return names;
}

}  // namespace spanloom::pipeline
