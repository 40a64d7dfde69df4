// SPDX-License-Identifier: Apache-2.0
//
// The spans that came last, in order of arrival: what Tail() reads.

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "otlp/ids.h"
#include "store/span.h"

namespace spanloom::store::head {

struct RecentSpan {
  uint64_t sequence = 0;  // how many spans were stored before it since the start
  otlp::TraceId trace_id;
  StoredSpan stored;
};

// Tells stored spans apart: by where their bytes are, or, if they have none, by their origin.
using SpanIdentity = std::pair<const char*, const SpanOrigin*>;
[[nodiscard]] inline SpanIdentity IdentityOf(const StoredSpan& span) {
  return {span.wire.empty() ? nullptr : span.wire.data(), span.origin.get()};
}

// Keeps references, not bytes; but a reference keeps the bytes of an evicted trace. So both are limited. Thread-
// compatible: guarded by the store's mutex.
class RecentSpans {
 public:
  RecentSpans(size_t spans_max, size_t bytes_max) : spans_max_(spans_max), bytes_max_(bytes_max) {}

  // Forgets the oldest ones beyond the limits.
  void Add(const otlp::TraceId& trace_id, const StoredSpan& stored);

  // Of the next span.
  [[nodiscard]] uint64_t next_sequence() const { return next_sequence_; }
  // All spans before it are forgotten.
  [[nodiscard]] uint64_t first_sequence() const { return first_sequence_; }

  // At most `spans_max` spans from `sequence` on.
  [[nodiscard]] std::vector<RecentSpan> Read(uint64_t sequence, size_t spans_max) const;

  // Forgets spans that were purged. Where their bytes are tells which.
  void Remove(const std::vector<StoredSpan>& purged);

 private:
  const size_t spans_max_;
  const size_t bytes_max_;
  std::deque<RecentSpan> spans_;  // by sequence; gaps where spans were purged
  size_t bytes_ = 0;              // of their messages
  uint64_t next_sequence_ = 0;
  uint64_t first_sequence_ = 0;
};

}  // namespace spanloom::store::head
