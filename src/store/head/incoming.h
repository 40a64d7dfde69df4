// SPDX-License-Identifier: Apache-2.0
//
// A batch made ready to be added, outside the lock: spans grouped by trace, their bytes copied out of the
// request (so that one span never pins a whole request), their contents hashed.

#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "otlp/batch.h"
#include "store/span.h"

namespace spanloom::store::head {

struct IncomingSpan {
  StoredSpan stored;           // its bytes are shared with the other spans of the same IncomingTrace
  uint64_t content_hash = 0;   // of stored.wire; seeded anew in each process
  std::string_view service;    // views stored.origin
  std::string_view operation;  // views stored.wire
  otlp::SpanKind kind = otlp::SpanKind::kUnspecified;
  uint64_t start_unix_ns = 0;
};

struct IncomingTrace {
  otlp::TraceId id;
  std::vector<IncomingSpan> spans;  // in order of arrival; never empty
};

// What the store needs to know of a stored span. Borrows from it: it must stay where its bytes are.
[[nodiscard]] IncomingSpan Describe(StoredSpan stored, std::string_view service);

// The spans of `batch` by trace, traces in the order of their first span. Equal origins within the batch may still be
// several objects.
[[nodiscard]] std::vector<IncomingTrace> SplitByTrace(const otlp::Batch& batch);

}  // namespace spanloom::store::head
