// SPDX-License-Identifier: Apache-2.0
//
// The parts of a store as they are now, and the few ways in which they change.

#pragma once

#include <memory>

#include "base/mutex.h"
#include "store/columnar/parts.h"

namespace spanloom::store::columnar {

// Thread-safe. Changes are made by one thread at a time each: the log thread exchanges heads, the background thread
// replaces segments.
class PartsTable {
 public:
  PartsTable() { parts_.filling = NewHead(); }

  [[nodiscard]] Parts Now() const {
    const MutexLock lock(mutex_);
    return parts_;
  }

  // What fills is full from here on; an empty head takes its place. False, and nothing happens, while another head is
  // being written.
  bool ExchangeHeads();
  // The full head is in this segment now; null if it was empty.
  void FinishFull(std::shared_ptr<const Segment> segment);

  void AddSegment(std::shared_ptr<const Segment> segment);
  void Replace(const Segment& old, std::shared_ptr<const Segment> replacement);  // null: removed

  [[nodiscard]] SplitTraces& split() { return split_; }
  [[nodiscard]] const SplitTraces& split() const { return split_; }

 private:
  static std::shared_ptr<head::LockedTable> NewHead() {
    return std::make_shared<head::LockedTable>(head::TableLimits{.recent_spans_max = 0, .recent_bytes_max = 0});
  }

  mutable Mutex mutex_;
  Parts parts_ ABSL_GUARDED_BY(mutex_);
  SplitTraces split_;
};

}  // namespace spanloom::store::columnar
