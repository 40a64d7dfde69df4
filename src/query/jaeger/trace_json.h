// SPDX-License-Identifier: Apache-2.0
//
// OTLP spans in the JSON of Jaeger's v1 API (shapes: jaeger v2.20, internal/uimodel/model.go; mapping: OpenTelemetry
// Collector's translator, traces_to_jaegerproto.go). Times lose their nanoseconds: the API has microseconds only.
//
// Differences from Jaeger, all where it fails or misleads: doubles that JSON cannot say are the strings "NaN",
// "Infinity" and
// "-Infinity" with type float64 (Jaeger answers 500); a span that ends before it starts keeps the duration 0, as in
// Jaeger, with a warning that says by how much.

#pragma once

#include "base/json_writer.h"
#include "store/span_store.h"

namespace spanloom::query::jaeger {

struct TraceJsonOptions {
  bool is_raw = false;  // keep links without a trace id, which are left out otherwise
};

// Writes one trace object: traceID, spans, processes, warnings. Valid JSON whatever the spans hold: invalid UTF-8
// becomes U+FFFD, whole numbers beyond 2^53 - 1 become strings (as in Jaeger: JavaScript would round them).
void WriteTraceJson(const store::Trace& trace, const TraceJsonOptions& options, JsonWriter& json);

}  // namespace spanloom::query::jaeger
