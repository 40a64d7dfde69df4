// SPDX-License-Identifier: Apache-2.0
//
// A batch made ready to be added, outside the lock: its spans by trace, and of each what a table needs to know.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "otlp/batch.h"
#include "store/span.h"

namespace spanloom::store::head {

struct IncomingSpan {
  Bytes wire;                  // Span message
  uint64_t content_hash = 0;   // ContentHash(wire)
  std::string_view service;    // views its origin
  std::string_view operation;  // views wire
  uint64_t start_unix_ns = 0;
  otlp::SpanKind kind = otlp::SpanKind::kUnspecified;
  uint32_t origin = 0;  // number in IncomingBatch::origins
};

struct IncomingTrace {
  otlp::TraceId id;
  std::span<IncomingSpan> spans;  // in order of arrival; views IncomingBatch::spans
};

// Moved, not copied: traces view spans.
struct IncomingBatch {
  IncomingBatch() = default;
  IncomingBatch(IncomingBatch&&) = default;
  IncomingBatch& operator=(IncomingBatch&&) = default;

  std::vector<std::shared_ptr<const SpanOrigin>> origins;  // equal ones may still be several
  std::vector<IncomingSpan> spans;                         // trace by trace
  std::vector<IncomingTrace> traces;                       // in the order of their first span
};

// Of the bytes of a Span message; seeded anew in each process.
[[nodiscard]] uint64_t ContentHash(std::string_view wire);

// The spans of one trace that were stored, with what a table needs to know of them.
[[nodiscard]] IncomingBatch DescribeStored(const otlp::TraceId& id, std::span<const StoredSpan> spans);

// The spans of `batch`. Those of one trace are copied out together, so that a trace never pins a request.
[[nodiscard]] IncomingBatch SplitByTrace(const otlp::Batch& batch);
// The spans of a request that passed ValidateTraces, whose bytes they share: for tables that are given up as a whole.
[[nodiscard]] IncomingBatch SplitSharing(const Bytes& request);

}  // namespace spanloom::store::head
