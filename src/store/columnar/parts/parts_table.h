// SPDX-License-Identifier: Apache-2.0
//
// The parts of a store as they are now, and the few ways in which they change.

#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "base/mutex.h"
#include "store/columnar/parts/parts.h"
#include "store/columnar/parts/split_traces.h"

namespace spanloom::store::columnar {

// Thread-safe. Changes are made by one thread at a time each: the log thread exchanges heads, the background thread
// replaces segments.
class PartsTable {
 public:
  PartsTable() {
    parts_.filling = NewHead();
    parts_.age = std::make_shared<const PartsAge>();
  }

  [[nodiscard]] Parts Now() const {
    const MutexLock lock(mutex_);
    return parts_;
  }
  // The same, and SplitTraces::taken_back() of the same moment, as far as merges go.
  [[nodiscard]] Parts Now(uint64_t& taken_back) const {
    const MutexLock lock(mutex_);
    taken_back = split_.taken_back();
    return parts_;
  }

  // What fills is full from here on; an empty head takes its place. False, and nothing happens, while another head is
  // being written.
  bool ExchangeHeads();
  // The full head is in this segment now; null if it was empty.
  void FinishFull(std::shared_ptr<const Segment> segment);

  void AddSegment(std::shared_ptr<const Segment> segment);
  // Groups segments, so that a trace is found without asking each. On the background thread.
  void GroupSegments();
  void Replace(const Segment& old, std::shared_ptr<const Segment> replacement);  // null: removed
  // Puts a segment that has the traces of `sources`, which stand side by side, in their place; null: they only go.
  void Merge(std::span<const std::shared_ptr<const Segment>> sources, std::shared_ptr<const Segment> merged,
             std::span<const JoinedTrace> joined);
  // These may be whole, or in no part at all, in all parts that are read from now on: those that are need not be known
  // as split any longer than older parts are read.
  void ForgetSplits(std::span<const otlp::TraceId> ids);

  [[nodiscard]] SplitTraces& split() { return split_; }
  [[nodiscard]] const SplitTraces& split() const { return split_; }

 private:
  // Traces that were split in parts of some age, and are not in younger ones.
  struct OldSplits {
    std::weak_ptr<const PartsAge> age;
    uint64_t occasion = 0;
    std::vector<otlp::TraceId> ids;
  };

  static std::shared_ptr<head::LockedTable> NewHead() {
    return std::make_shared<head::LockedTable>(head::TableLimits{.is_indexed = false});
  }
  void DropOldSplits();

  mutable Mutex mutex_;
  Parts parts_ ABSL_GUARDED_BY(mutex_);
  SplitTraces split_;
  std::deque<OldSplits> old_splits_;  // oldest first; the background thread's
  uint64_t occasions_ = 0;            // the same
};

}  // namespace spanloom::store::columnar
