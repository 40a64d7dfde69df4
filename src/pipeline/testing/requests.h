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
#include "otlp/wire/writer.h"

namespace spanloom::pipeline {

// A request of the service vllm-decode with a span for each name, all of one trace.
inline otlp::Batch BatchOf(const std::vector<std::string>& names) {
  const std::string trace_id(16, '\x01');
  std::string wire;
  otlp::wire::Writer writer(wire);
  const auto resource_spans = writer.Begin(1);
  const auto resource = writer.Begin(1);
  const auto attribute = writer.Begin(1);
  writer.Bytes(1, "service.name");
  const auto value = writer.Begin(2);
  writer.Bytes(1, "vllm-decode");
  for (const auto mark : {value, attribute, resource}) writer.End(mark);
  const auto scope_spans = writer.Begin(2);
  char number = 0;
  for (const std::string& name : names) {
    const auto span = writer.Begin(2);
    writer.Bytes(1, trace_id);
    writer.Bytes(2, std::string(8, ++number));
    writer.Bytes(5, name);
    writer.End(span);
  }
  writer.End(scope_spans);
  writer.End(resource_spans);
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
