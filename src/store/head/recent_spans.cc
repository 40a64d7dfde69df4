// SPDX-License-Identifier: Apache-2.0

#include "store/head/recent_spans.h"

#include <absl/container/flat_hash_set.h>

#include <algorithm>

namespace spanloom::store::head {

void RecentSpans::Add(const otlp::TraceId& trace_id, const StoredSpan& stored) {
  if (spans_max_ == 0) {  // nothing is kept
    first_sequence_ = ++next_sequence_;
    return;
  }
  bytes_ += stored.wire.size();
  spans_.push_back({.sequence = next_sequence_++, .trace_id = trace_id, .stored = stored});
  while (spans_.size() > spans_max_ || bytes_ > bytes_max_) {
    bytes_ -= spans_.front().stored.wire.size();
    first_sequence_ = spans_.front().sequence + 1;
    spans_.pop_front();
  }
}

std::vector<RecentSpan> RecentSpans::Read(uint64_t sequence, size_t spans_max) const {
  const auto first = std::lower_bound(spans_.begin(), spans_.end(), sequence,
                                      [](const RecentSpan& span, uint64_t wanted) { return span.sequence < wanted; });
  const auto count = std::min<size_t>(spans_max, static_cast<size_t>(spans_.end() - first));
  return {first, first + static_cast<std::ptrdiff_t>(count)};
}

void RecentSpans::Remove(const std::vector<StoredSpan>& purged) {
  absl::flat_hash_set<SpanIdentity> identities;
  for (const StoredSpan& span : purged) identities.insert(IdentityOf(span));
  std::erase_if(spans_, [&](const RecentSpan& span) {
    if (!identities.contains(IdentityOf(span.stored))) return false;
    bytes_ -= span.stored.wire.size();
    return true;
  });
}

}  // namespace spanloom::store::head
