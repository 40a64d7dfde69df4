// SPDX-License-Identifier: Apache-2.0
//
// Merges segments: decides which, writes the new one, puts it in their place. Reading and writing take long and have a
// thread of their own; what decides and exchanges is short and runs where flushes and retention run, between them.

#pragma once

#include <absl/container/flat_hash_set.h>
#include <absl/functional/any_invocable.h>
#include <absl/functional/function_ref.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/status.h"
#include "base/task_meter.h"
#include "store/columnar/merge/compaction_policy.h"
#include "store/columnar/merge/merged_traces.h"
#include "store/columnar/merge/pace.h"
#include "store/columnar/merge/segment_exchange.h"
#include "store/columnar/parts/parts_table.h"
#include "store/columnar/parts/run_in_background.h"
#include "store/columnar/parts/segment_directory.h"

namespace spanloom::store::columnar {

// One that can be read.
// `now_ns`: Clock::SteadyNs.
[[nodiscard]] MergeCandidate CandidateOf(const Segment& segment, int64_t now_ns);

struct CompactorOptions {
  CompactionPolicy policy = {};
  uint64_t bytes_per_second = 0;  // read and written
  uint64_t reserve_bytes = 0;     // of the disk that merges leave free, beside what they need: a flush has to find room
};

// Who calls what, see each. All that it is given must outlive it. Memory beside the builder's: a page or two of each
// source, and 24 bytes for each trace that lay in several.
//
// A merge that fails leaves all as it was. A source that can't be read is not merged again while this lives; it is
// counted and said. Failures are counted by cause.
class Compactor {
 public:
  Compactor(const CompactorOptions& options, SegmentDirectory& segments, PartsTable& parts, SegmentExchange& exchange,
            MetricRegistry& metrics, const Clock& clock, RunInBackground run_in_background);

  // Merges what the policy says, once; false if there is nothing to merge. By one thread at a time, which is not the
  // background thread. Errors: kCancelled after Stop(); kResourceExhausted (no room), those of the disk and of the
  // catalogue.
  StatusOr<bool> MergeOnce();

  // True if something was left out that there may be something to do for later, without a change: to be asked again.
  [[nodiscard]] bool has_waiting() const { return has_waiting_; }

  // Ends a merge that is under way, soon, and every later one. From any thread.
  void Stop() { pace_.Stop(); }
  [[nodiscard]] bool is_stopped() const { return pace_.is_stopped(); }

 private:
  struct Merge {
    std::shared_ptr<const PartsAge> age;
    SegmentPosition position;
    Replacement replacement;
    std::optional<uint64_t> damaged_source;  // id
  };

  // On the background thread. Null: nothing to merge.
  StatusOr<std::unique_ptr<Merge>> Plan();
  // The segments of the catalogue in order of arrival; null where one is in no part: its file is not there, or it could
  // not be removed.
  [[nodiscard]] std::vector<std::shared_ptr<const Segment>> Places(const Parts& parts) const;
  Status CheckRoom(const Merge& merge);
  Status Finish(Merge merge);

  // On the thread that merges.
  Status Write(Merge& merge);
  Status AddTraces(Merge& merge, SegmentBuilder& builder);
  Status AddTrace(const Merge& merge, MergedTraces& traces, const std::vector<TracePart>& parts,
                  SegmentBuilder& builder);

  void CountFailure(std::string_view cause, const Status& status);

  const CompactorOptions options_;
  SegmentDirectory& segments_;
  PartsTable& parts_;
  SegmentExchange& exchange_;  // the background thread's
  MetricRegistry& metrics_;
  const Clock& clock_;
  RunInBackground run_in_background_;
  Pace pace_;
  TaskMeter merges_;
  Counter& bytes_read_;
  Counter& bytes_written_;

  absl::flat_hash_set<uint64_t> damaged_;  // ids of segments; the background thread's
  std::atomic<bool> has_waiting_ = false;
};

}  // namespace spanloom::store::columnar
