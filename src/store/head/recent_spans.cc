// SPDX-License-Identifier: Apache-2.0

#include "store/head/recent_spans.h"

#include <algorithm>
#include <utility>

namespace spanloom::store::head {

std::deque<RecentSpan> RecentSpans::StopKeeping() {
  keeps_ = false;
  first_sequence_ = next_sequence_;
  requests_.clear();
  bytes_ = 0;
  return std::exchange(spans_, {});
}

void RecentSpans::Add(const otlp::TraceId& trace_id, std::span<const StoredSpan> spans) {
  if (!keeps_) {
    next_sequence_ += spans.size();
    first_sequence_ = next_sequence_;
    return;
  }
  for (const StoredSpan& span : spans) {
    spans_.push_back({.sequence = next_sequence_++, .trace_id = trace_id, .stored = span});
  }
}

std::vector<RecentSpan> RecentSpans::EndRequest(size_t bytes) {
  std::vector<RecentSpan> forgotten;
  const uint64_t begin_sequence = requests_.empty() ? first_sequence_ : requests_.back().end_sequence;
  if (next_sequence_ == begin_sequence) return forgotten;  // nothing of it was new, or nothing is kept
  requests_.push_back({.end_sequence = next_sequence_, .bytes = bytes});
  bytes_ += bytes;
  while (bytes_ > limits_.bytes_max) ForgetRequest(forgotten);
  while (spans_.size() > limits_.spans_max) ForgetSpan(forgotten);
  return forgotten;
}

void RecentSpans::ForgetSpan(std::vector<RecentSpan>& forgotten) {
  first_sequence_ = spans_.front().sequence + 1;
  forgotten.push_back(std::move(spans_.front()));
  spans_.pop_front();
  while (!requests_.empty() && requests_.front().end_sequence <= first_sequence_) {
    bytes_ -= requests_.front().bytes;
    requests_.pop_front();
  }
}

void RecentSpans::ForgetRequest(std::vector<RecentSpan>& forgotten) {
  const Request oldest = requests_.front();
  while (!spans_.empty() && spans_.front().sequence < oldest.end_sequence) {
    forgotten.push_back(std::move(spans_.front()));
    spans_.pop_front();
  }
  first_sequence_ = oldest.end_sequence;
  bytes_ -= oldest.bytes;
  requests_.pop_front();
}

std::vector<RecentSpan> RecentSpans::Read(uint64_t sequence, size_t spans_max) const {
  const auto first = std::ranges::lower_bound(spans_, sequence, {}, &RecentSpan::sequence);
  const auto count = std::min<size_t>(spans_max, static_cast<size_t>(spans_.end() - first));
  return {first, first + static_cast<std::ptrdiff_t>(count)};
}

void RecentSpans::Remove(const absl::flat_hash_set<uint64_t>& sequences) {
  std::erase_if(spans_, [&](const RecentSpan& span) { return sequences.contains(span.sequence); });
}

}  // namespace spanloom::store::head
