// SPDX-License-Identifier: Apache-2.0
//
// A span of our own while it is recorded, and what takes it when it has ended.

#pragma once

#include <absl/container/inlined_vector.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "otlp/writer.h"
#include "sdk/trace_context.h"

namespace spanloom::sdk {

inline constexpr size_t kAttributesMax = 128;  // of a span; OpenTelemetry's OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT
inline constexpr size_t kEventsMax = 128;      // of a span; OTEL_SPAN_EVENT_COUNT_LIMIT
inline constexpr size_t kLinksMax = 128;       // of a span; OTEL_SPAN_LINK_COUNT_LIMIT

struct Attribute {
  std::string_view key;  // of static storage: a literal or a name of semconv
  std::variant<bool, int64_t, double, std::string> value;
};

// Eight are kept without an allocation of their own. Guess: our spans carry four to six.
using Attributes = absl::InlinedVector<Attribute, 8>;

struct Event {
  int64_t unix_ns = 0;
  std::string name;
  Attributes attributes;
};

struct SpanRecord {
  TraceContext context;
  otlp::SpanId parent;  // zero for a root
  bool parent_is_remote = false;
  std::string name;
  otlp::SpanKind kind = otlp::SpanKind::kInternal;
  int64_t start_unix_ns = 0;
  int64_t end_unix_ns = 0;  // the start and the steady time since, so never before it
  Attributes attributes;
  std::vector<Event> events;
  std::vector<TraceContext> links;
  otlp::StatusCode status = otlp::StatusCode::kUnset;
  std::string status_message;
  otlp::DroppedCounts dropped;  // beyond the limits above
};

// Takes ended spans. Thread-safe; must not block.
class SpanSink {
 public:
  virtual ~SpanSink() = default;
  virtual void Take(std::unique_ptr<SpanRecord> span) = 0;
};

// An ExportTraceServiceRequest with one resource and one scope, both in wire form (otlp::EncodeResource, EncodeScope).
[[nodiscard]] std::string EncodeRequest(std::span<const std::unique_ptr<SpanRecord>> spans, std::string_view resource,
                                        std::string_view scope);

}  // namespace spanloom::sdk
