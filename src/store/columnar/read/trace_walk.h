// SPDX-License-Identifier: Apache-2.0
//
// Visits the traces of all parts of a store, each once, newest first: by a bound of their latest start that is narrowed
// down, segment by segment and chunk by chunk, only as far as the question needs.

#pragma once

#include <absl/container/flat_hash_set.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <queue>
#include <vector>

#include "base/status.h"
#include "store/columnar/parts/trace_gatherer.h"
#include "store/columnar/read/trace_candidates.h"
#include "store/time_range.h"

namespace spanloom::store::columnar {

// A trace as it lies in one part: it may have more spans in others.
struct WalkedTrace {
  otlp::TraceId id;
  // No span of the trace in that part starts later; in other parts one may, and then the trace has come already.
  uint64_t latest_start_unix_ns = 0;
  TraceHint hint;
};

// Thread-compatible. The parts must outlive it. Sees the traces that a head has when it is made.
class TraceWalk {
 public:
  // Only traces that may have a span that starts within `starts`. `ids`: only these, in no order; all, if empty.
  // `candidates`: of segments only those that it names, unless `ids` does; null for all. It must outlive the walk.
  TraceWalk(const Parts& parts, const SplitTraces& split, const TimeRange& starts, std::vector<otlp::TraceId> ids,
            TraceCandidates* candidates);

  // The next trace; nullopt at the end. Errors: kDataLoss, those of the disk: the part is left out from then on, and
  // the next call goes on.
  StatusOr<std::optional<WalkedTrace>> Next();

  // No trace that is still to come has a span that starts later.
  [[nodiscard]] uint64_t bound() const { return queue_.empty() ? 0 : queue_.top().bound; }

 private:
  enum class Kind : uint8_t { kSegment, kChunk, kTrace };
  struct Item {
    uint64_t bound = 0;
    Kind kind = Kind::kSegment;
    size_t index = 0;  // of the chunk, or in traces_
    const Segment* segment = nullptr;

    friend bool operator<(const Item& a, const Item& b) { return a.bound < b.bound; }
  };

  void AddHead(const head::LockedTable& table);
  Status OpenSegment(const Segment& segment);
  Status OpenChunk(const Segment& segment, size_t index);
  void AddTrace(WalkedTrace trace);
  // True the first time.
  bool IsNew(const otlp::TraceId& id);

  const SplitTraces& split_;
  TraceCandidates* const candidates_;
  const TimeRange starts_;
  std::vector<otlp::TraceId> ids_;  // left, from the end
  const bool has_ids_;
  std::priority_queue<Item> queue_;
  std::vector<WalkedTrace> traces_;  // that are in the queue; those of free_ are not
  std::vector<size_t> free_;
  absl::flat_hash_set<otlp::TraceId> seen_;  // that came, and lie or may come to lie in several parts
};

}  // namespace spanloom::store::columnar
