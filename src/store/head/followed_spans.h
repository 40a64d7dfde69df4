// SPDX-License-Identifier: Apache-2.0
//
// What a store keeps for those who follow it: the spans that come, while anybody asks for them. A store that nobody
// follows counts spans, and keeps none.

#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_set.h>
#include <absl/functional/function_ref.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "store/head/recent_spans.h"
#include "store/span_store.h"

namespace spanloom::store::head {

// One look at what came behind a position.
struct RecentPage {
  std::vector<RecentSpan> spans;  // in order of arrival
  TailPosition next;
  uint64_t spans_missed = 0;  // that were forgotten before they were read
};

// Thread-safe. The lock is held while a batch is added to its table, and for a thousand references at a time while they
// are read; it is taken before that of a table.
class FollowedSpans {
 public:
  static constexpr std::chrono::seconds kPatience{60};  // that nobody has asked for; guess

  // `clock` must outlive it.
  FollowedSpans(const RecentLimits& limits, const Clock& clock);

  // For those who write: `add` puts a batch, which keeps so many bytes in memory at most, into a table that tells
  // `recent` what was new.
  void Add(size_t bytes, absl::FunctionRef<void(RecentSpans& recent)> add) ABSL_LOCKS_EXCLUDED(mutex_);

  // Forgets everything if nobody has asked for kPatience; true if that was anything. To be called now and then; Add()
  // does it as well.
  bool ForgetIfUnfollowed() ABSL_LOCKS_EXCLUDED(mutex_);

  // Behind all that has come. From here on spans are kept.
  TailPosition Begin() ABSL_LOCKS_EXCLUDED(mutex_);

  // At most `spans_max` spans behind `position`. From here on spans are kept. kInvalidArgument, if the position is of
  // another epoch, or beyond the end.
  StatusOr<RecentPage> Read(const TailPosition& position, size_t spans_max) ABSL_LOCKS_EXCLUDED(mutex_);

  // Some of the spans that are kept, from `sequence` on; none if there are none. Not to follow, but to look through.
  [[nodiscard]] std::vector<RecentSpan> KeptFrom(uint64_t sequence) const ABSL_LOCKS_EXCLUDED(mutex_);

  // Forgets spans as if they had never come.
  void Remove(const absl::flat_hash_set<uint64_t>& sequences) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  static constexpr size_t kSpansPerLock = 1'024;  // references that are copied under one lock: about 50 µs; guess

  void Follow() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  [[nodiscard]] bool IsAbandoned() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  [[nodiscard]] Status Check(const TailPosition& position) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Clock& clock_;
  const uint64_t epoch_;  // of TailPosition
  mutable Mutex mutex_;
  RecentSpans recent_ ABSL_GUARDED_BY(mutex_);
  int64_t asked_ns_ ABSL_GUARDED_BY(mutex_) = 0;  // Clock::SteadyNs
};

}  // namespace spanloom::store::head
