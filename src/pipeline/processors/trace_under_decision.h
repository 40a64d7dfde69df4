// SPDX-License-Identifier: Apache-2.0
//
// One trace, as the policies of tail_sampling see it.

#pragma once

#include <absl/functional/function_ref.h>

#include <cstddef>
#include <vector>

#include "otlp/batch.h"
#include "otlp/detached.h"
#include "otlp/ids.h"
#include "otlp/views.h"

namespace spanloom::pipeline {

// Spans that were read once for all policies. Borrows them. Thread-compatible.
class TraceUnderDecision {
 public:
  // `span_count`: of the trace, which may have more spans than are looked at.
  TraceUnderDecision(const otlp::TraceId& id, const otlp::DetachedSpans& spans, size_t span_count)
      : id_(id), spans_(spans), span_count_(span_count) {}

  [[nodiscard]] const otlp::TraceId& id() const { return id_; }
  [[nodiscard]] size_t span_count() const { return span_count_; }
  // About what the spans take as protobuf.
  [[nodiscard]] size_t wire_bytes() const { return spans_.wire_bytes(); }

  // Visits spans until `is_it` is true for one; whether it was.
  [[nodiscard]] bool AnySpan(absl::FunctionRef<bool(const otlp::SpanContext&)> is_it) const;

  // True if the attribute `key` of a resource or a span is `wanted`. Resources that follow each other are asked once.
  [[nodiscard]] bool AnyAttribute(std::string_view key, absl::FunctionRef<bool(const otlp::ValueView&)> wanted) const;

 private:
  struct ReadSpan {
    const otlp::HeldContext* context;
    otlp::SpanView span;
  };

  // Reads them at the first call.
  [[nodiscard]] const std::vector<ReadSpan>& read_spans() const;

  const otlp::TraceId& id_;
  const otlp::DetachedSpans& spans_;
  const size_t span_count_;
  mutable std::vector<ReadSpan> read_spans_;  // empty until they are needed
};

}  // namespace spanloom::pipeline
