// SPDX-License-Identifier: Apache-2.0
//
// Spans as a store hands them out: the messages that were received, each with what it stood in.

#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "otlp/ids.h"
#include "otlp/views.h"

namespace spanloom::store {

// What the spans of one ScopeSpans have in common. Immutable; shared by them (hence shared_ptr below).
struct SpanOrigin {
  Bytes resource;                   // Resource message
  Bytes scope;                      // InstrumentationScope message
  std::string resource_schema_url;  // of ResourceSpans
  std::string scope_schema_url;     // of ScopeSpans
};

// True if all four are the same bytes.
[[nodiscard]] bool AreEqual(const SpanOrigin& a, const SpanOrigin& b);

// One span as it was received, byte for byte. A value; copies share the bytes.
struct StoredSpan {
  Bytes wire;  // Span message; passed ValidateTraces
  std::shared_ptr<const SpanOrigin> origin;

  [[nodiscard]] otlp::SpanView span() const { return otlp::SpanView(wire.view()); }
  [[nodiscard]] otlp::ResourceView resource() const { return otlp::ResourceView(origin->resource.view()); }
  [[nodiscard]] otlp::ScopeView scope() const { return otlp::ScopeView(origin->scope.view()); }
};

struct Trace {
  otlp::TraceId id;
  std::vector<StoredSpan> spans;  // by start time, then in order of arrival
};

}  // namespace spanloom::store
