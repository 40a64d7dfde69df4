// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/trace_under_decision.h"

namespace spanloom::pipeline {

const std::vector<TraceUnderDecision::ReadSpan>& TraceUnderDecision::read_spans() const {
  if (!read_spans_.empty()) return read_spans_;
  read_spans_.reserve(spans_.span_count());
  spans_.ForEach([this](const otlp::HeldContext& context, std::string_view span) {
    read_spans_.push_back({&context, otlp::SpanView(span)});
  });
  return read_spans_;
}

bool TraceUnderDecision::AnySpan(absl::FunctionRef<bool(const otlp::SpanContext&)> is_it) const {
  for (const ReadSpan& read : read_spans()) {
    if (is_it({.resource = read.context->resource(),
               .resource_schema_url = read.context->resource_schema_url(),
               .scope = read.context->scope(),
               .scope_schema_url = read.context->scope_schema_url(),
               .span = read.span})) {
      return true;
    }
  }
  return false;
}

bool TraceUnderDecision::AnyAttribute(std::string_view key,
                                      absl::FunctionRef<bool(const otlp::ValueView&)> wanted) const {
  const otlp::HeldContext* asked = nullptr;
  for (const ReadSpan& read : read_spans()) {
    if (read.context != asked) {
      asked = read.context;
      const auto value = otlp::FindAttribute(asked->resource().attributes(), key);
      if (value && wanted(*value)) return true;
    }
    const auto value = otlp::FindAttribute(read.span.attributes(), key);
    if (value && wanted(*value)) return true;
  }
  return false;
}

}  // namespace spanloom::pipeline
