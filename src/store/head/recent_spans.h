// SPDX-License-Identifier: Apache-2.0
//
// The spans that came last, in order of arrival: what Tail() reads.

#pragma once

#include <absl/container/flat_hash_set.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "otlp/ids.h"
#include "store/span.h"

namespace spanloom::store::head {

struct RecentSpan {
  uint64_t sequence = 0;  // how many spans were stored before it since the start
  otlp::TraceId trace_id;
  StoredSpan stored;
};

struct RecentLimits {
  size_t spans_max = 65'536;     // guess
  size_t bytes_max = 32U << 20;  // of the requests that they came with, which they may keep in memory; guess
};

// Counts what comes, and keeps it if it is told to: references, not bytes. Thread-compatible: guarded by FollowedSpans.
class RecentSpans {
 public:
  explicit RecentSpans(const RecentLimits& limits) : limits_(limits) {}

  // Spans are kept from here on.
  void Keep() { keeps_ = true; }
  // They are no longer. Returns those that were, to be destroyed outside the lock.
  [[nodiscard]] std::deque<RecentSpan> StopKeeping();
  [[nodiscard]] bool keeps() const { return keeps_; }

  // Spans of one trace, in order of arrival.
  void Add(const otlp::TraceId& trace_id, std::span<const StoredSpan> spans);
  // Those that were added since the last call came together, and keep so many bytes in memory, at most. Forgets the
  // oldest ones beyond the limits, and returns them, to be destroyed outside the lock.
  [[nodiscard]] std::vector<RecentSpan> EndRequest(size_t bytes);

  // Of the next span.
  [[nodiscard]] uint64_t next_sequence() const { return next_sequence_; }
  // No span before it is kept.
  [[nodiscard]] uint64_t first_sequence() const { return first_sequence_; }

  // At most `spans_max` of those that are kept, from `sequence` on.
  [[nodiscard]] std::vector<RecentSpan> Read(uint64_t sequence, size_t spans_max) const;

  // Forgets spans as if they had never come.
  void Remove(const absl::flat_hash_set<uint64_t>& sequences);

 private:
  // What came together.
  struct Request {
    uint64_t end_sequence = 0;
    size_t bytes = 0;
  };

  // Forgets the oldest span, or request, and appends what that was to `forgotten`.
  void ForgetSpan(std::vector<RecentSpan>& forgotten);
  void ForgetRequest(std::vector<RecentSpan>& forgotten);

  const RecentLimits limits_;
  bool keeps_ = false;
  std::deque<RecentSpan> spans_;  // by sequence; gaps where spans were removed
  std::deque<Request> requests_;  // that they came with
  size_t bytes_ = 0;              // of these
  uint64_t next_sequence_ = 0;
  uint64_t first_sequence_ = 0;
};

}  // namespace spanloom::store::head
