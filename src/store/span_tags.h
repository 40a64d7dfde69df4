// SPDX-License-Identifier: Apache-2.0
//
// Fields of a span that interfaces older than OTLP show among its attributes: `span.kind`, `error` and others. They can
// be searched for by the same names (scan/span_fields.h). Names: OpenTelemetry specification, "Span Kind", "Status" and
// "InstrumentationScope" under "Transformation to non-OTLP formats" (compatibility with Jaeger and Zipkin).

#pragma once

#include <absl/container/inlined_vector.h>

#include <string_view>

#include "otlp/views.h"

namespace spanloom::store {

// Borrows the text from the span, or from a constant.
struct SpanTag {
  std::string_view key;
  std::string_view text;
  bool is_bool = false;  // a truth value rather than a string
};

using SpanTags = absl::InlinedVector<SpanTag, 5>;

// `otel.scope.name` and `otel.scope.version`, where not empty.
[[nodiscard]] SpanTags TagsOf(const otlp::ScopeView& scope);

// In this order: `span.kind` (lower case), `otel.status_code` (OK or ERROR), `error` (true), `otel.status_description`,
// `w3c.tracestate`; each only where it is set.
[[nodiscard]] SpanTags TagsOf(const otlp::SpanView& span);

// "server", "client", "producer", "consumer", "internal"; "" for an unspecified or unknown kind.
[[nodiscard]] std::string_view SpanKindText(otlp::SpanKind kind);

// "OK", "ERROR"; "" for an unset or unknown code.
[[nodiscard]] std::string_view StatusCodeText(otlp::StatusCode code);

}  // namespace spanloom::store
