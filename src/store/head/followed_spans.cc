// SPDX-License-Identifier: Apache-2.0

#include "store/head/followed_spans.h"

#include <algorithm>
#include <deque>
#include <iterator>

#include "base/rng.h"

namespace spanloom::store::head {

FollowedSpans::FollowedSpans(const RecentLimits& limits, const Clock& clock)
    : clock_(clock), epoch_(Rng::SystemSeed()), recent_(limits) {}

void FollowedSpans::Add(size_t bytes, absl::FunctionRef<void(RecentSpans& recent)> add) {
  ForgetIfUnfollowed();
  std::vector<RecentSpan> forgotten;  // destroyed outside the lock
  const MutexLock lock(mutex_);
  add(recent_);
  forgotten = recent_.EndRequest(bytes);
}

bool FollowedSpans::ForgetIfUnfollowed() {
  std::deque<RecentSpan> forgotten;  // destroyed outside the lock
  {
    const MutexLock lock(mutex_);
    if (IsAbandoned()) forgotten = recent_.StopKeeping();
  }
  return !forgotten.empty();
}

bool FollowedSpans::IsAbandoned() const {
  return recent_.keeps() && clock_.SteadyNs() - asked_ns_ >= std::chrono::nanoseconds(kPatience).count();
}

void FollowedSpans::Follow() {
  asked_ns_ = clock_.SteadyNs();
  recent_.Keep();
}

TailPosition FollowedSpans::Begin() {
  const MutexLock lock(mutex_);
  Follow();
  return {.epoch = epoch_, .sequence = recent_.next_sequence()};
}

Status FollowedSpans::Check(const TailPosition& position) const {
  if (position.epoch == epoch_ && position.sequence <= recent_.next_sequence()) return absl::OkStatus();
  return absl::InvalidArgumentError("a position of another store, or of another start of it; begin anew");
}

StatusOr<RecentPage> FollowedSpans::Read(const TailPosition& position, size_t spans_max) {
  RecentPage page = {.spans = {}, .next = position};
  for (bool is_all = false; !is_all && page.spans.size() < spans_max;) {
    const MutexLock lock(mutex_);
    RETURN_IF_ERROR(Check(page.next));
    Follow();
    const uint64_t first = std::max(page.next.sequence, recent_.first_sequence());
    page.spans_missed += first - page.next.sequence;
    const size_t wanted = std::min(kSpansPerLock, spans_max - page.spans.size());
    std::vector<RecentSpan> spans = recent_.Read(first, wanted);
    is_all = spans.size() < wanted;
    page.next.sequence = is_all ? recent_.next_sequence() : spans.back().sequence + 1;
    std::ranges::move(spans, std::back_inserter(page.spans));
  }
  return page;
}

std::vector<RecentSpan> FollowedSpans::KeptFrom(uint64_t sequence) const {
  const MutexLock lock(mutex_);
  return recent_.Read(sequence, kSpansPerLock);
}

void FollowedSpans::Remove(const absl::flat_hash_set<uint64_t>& sequences) {
  const MutexLock lock(mutex_);
  recent_.Remove(sequences);
}

}  // namespace spanloom::store::head
