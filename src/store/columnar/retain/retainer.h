// SPDX-License-Identifier: Apache-2.0
//
// Applies a retention policy, again and again. Looks for traces that are to go on a thread of its own, since that reads
// a good part of the store; takes them out on the background thread, in steps that hold up neither segments nor
// appends.

#pragma once

#include <absl/functional/any_invocable.h>
#include <absl/functional/function_ref.h>

#include <atomic>
#include <cstdint>
#include <span>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/status.h"
#include "base/worker_pool.h"
#include "store/columnar/merge/segment_exchange.h"
#include "store/columnar/parts/parts_table.h"
#include "store/columnar/parts/run_in_background.h"
#include "store/columnar/parts/segment_directory.h"
#include "store/columnar/retain/expiry.h"
#include "store/retention.h"
#include "store/retention_time.h"

namespace spanloom::store::columnar {

// Runs a task while nothing is added to heads; what the task removes is new when it comes again. It must be short:
// nothing is acknowledged meanwhile.
using RunBetweenAdds = absl::AnyInvocable<void(absl::FunctionRef<void()>) const>;

// Thread-safe. All that it is given must outlive it.
class Retainer {
 public:
  Retainer(SegmentDirectory& segments, PartsTable& parts, SegmentExchange& exchange, Counter& spans_expired,
           const Clock& clock, RunInBackground run_in_background, RunBetweenAdds run_between_adds);

  // From now on. Returns what went at once; traces that got spans while they were looked at go later. Errors: those of
  // FindExpired, SegmentExchange::Settle and of the disk.
  StatusOr<Removed> SetPolicy(const RetentionPolicy& policy);

  // Looks again, if it was some seconds ago. To be called about every second.
  void ApplySoon();

  // Ends what is under way, soon.
  void Stop() { is_stopped_ = true; }

 private:
  StatusOr<Removed> Apply();
  StatusOr<Removed> RemoveAll(const Parts& seen, std::span<const ExpiredTrace> traces);
  // On the background thread.
  Status RemoveSome(const Parts& seen, std::span<const ExpiredTrace> traces, Removed& removed);

  SegmentDirectory& segments_;
  PartsTable& parts_;
  SegmentExchange& exchange_;
  Counter& spans_expired_;
  const Clock& clock_;
  const RunInBackground run_in_background_;
  const RunBetweenAdds run_between_adds_;

  RetentionPolicy policy_;  // the thread's, as is the time
  RetentionTime time_;
  std::atomic<bool> has_policy_ = false;
  std::atomic<bool> is_queued_ = false;
  std::atomic<bool> is_stopped_ = false;
  std::atomic<int64_t> applied_ns_ = 0;  // Clock::SteadyNs: when it was last asked for
  WorkerPool thread_;                    // ends first
};

}  // namespace spanloom::store::columnar
