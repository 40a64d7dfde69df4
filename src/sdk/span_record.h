// SPDX-License-Identifier: Apache-2.0
//
// A span of our own while it is recorded, and what takes it when it has ended.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "otlp/writer.h"
#include "sdk/attribute.h"
#include "sdk/trace_context.h"

namespace spanloom::sdk {

struct Event {
  int64_t unix_ns = 0;
  std::string name;
  Attributes attributes;
  uint32_t dropped_attributes = 0;
};

struct Link {
  TraceContext context;
  Attributes attributes;
  uint32_t dropped_attributes = 0;
};

struct SpanRecord {
  TraceContext context;
  otlp::SpanId parent;  // zero for a root
  bool parent_is_remote = false;
  otlp::SpanKind kind = otlp::SpanKind::kInternal;
  uint32_t scope = 0;  // its index among the scopes that the exporter knows
  std::string name;
  int64_t start_unix_ns = 0;
  int64_t end_unix_ns = 0;  // the start and the steady time since, so never before it
  Attributes attributes;
  std::vector<Event> events;
  std::vector<Link> links;
  otlp::StatusCode status = otlp::StatusCode::kUnset;
  std::string status_message;
  otlp::DroppedCounts dropped;  // beyond the tracer's SpanLimits
};

// Takes ended spans. Thread-safe; must not block.
class SpanSink {
 public:
  virtual ~SpanSink() = default;
  virtual void Take(std::unique_ptr<SpanRecord> span) = 0;
};

// An ExportTraceServiceRequest with one resource, in wire form (otlp::EncodeResource), and those of `scopes`
// (otlp::EncodeScope) that `spans` are of, each with its spans in their order.
[[nodiscard]] std::string EncodeRequest(std::span<const std::unique_ptr<SpanRecord>> spans, std::string_view resource,
                                        std::span<const std::string> scopes);

}  // namespace spanloom::sdk
