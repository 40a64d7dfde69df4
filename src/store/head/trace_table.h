// SPDX-License-Identifier: Apache-2.0
//
// Traces in memory with their indices, and how they come and go: all that a memory store keeps, and what a columnar
// store has not written to a segment yet. The store adds threads and answers questions.

#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/check.h"
#include "base/mutex.h"
#include "store/head/incoming.h"
#include "store/head/origin_table.h"
#include "store/head/recent_spans.h"
#include "store/head/stored_trace.h"
#include "store/head/trace_index.h"
#include "store/retention.h"

namespace spanloom::store::head {

// How much a table may hold.
struct TableLimits {
  size_t traces_max = std::numeric_limits<size_t>::max();
  size_t spans_max = std::numeric_limits<uint32_t>::max();
  size_t bytes_max = std::numeric_limits<size_t>::max();  // of the spans' messages and their origins
  bool is_indexed = true;                                 // false: index() and Expire() must not be asked
};

// What adding a batch did, in spans.
struct AddCounts {
  uint64_t duplicate = 0;
  uint64_t refused = 0;  // their trace alone would exceed the store
  uint64_t evicted = 0;
};

// Removed traces, to be destroyed outside the lock: they may be large.
using RemovedTraces = std::vector<std::unique_ptr<StoredTrace>>;

// Thread-compatible: guarded by LockedTable::mutex.
class TraceTable {
 public:
  explicit TraceTable(const TableLimits& limits) : limits_(limits) {
    if (limits.is_indexed) index_.emplace();
  }

  // Adds what fits, and tells `recent` of it, then evicts until the limits hold. What is added is moved out of
  // `incoming`.
  AddCounts Add(IncomingBatch& incoming, RecentSpans& recent, RemovedTraces& removed);

  // Removes the oldest traces until `policy` holds.
  Removed Expire(const RetentionPolicy& policy, uint64_t now_unix_ns, RemovedTraces& removed);

  // Removes a trace; false if it is not there.
  bool Drop(const otlp::TraceId& id, RemovedTraces& removed);

  // Takes the spans with these arrivals, ascending, out of a trace: `candidate` is what was looked at. Returns nullopt,
  // and changes nothing, if the trace has become another one meanwhile. O(spans of the trace).
  std::optional<Removed> Purge(const Candidate& candidate, const std::vector<uint32_t>& arrivals,
                               RemovedTraces& removed);

  // Keeps a row for the next question, unless the trace has changed since.
  void KeepRow(const otlp::TraceId& id, uint64_t version, std::shared_ptr<const TraceRow> row);
  void KeepRequests(const otlp::TraceId& id, std::shared_ptr<const DerivedRequests> requests);

  [[nodiscard]] const StoredTrace* Find(const otlp::TraceId& id) const;
  [[nodiscard]] const TraceIndex& index() const {
    CHECK(index_.has_value());
    return *index_;
  }
  // When the spans start. O(traces).
  [[nodiscard]] StartRange Starts() const;
  // The trace that got a span last is at the end, and has the highest version.
  [[nodiscard]] const std::list<StoredTrace*>& by_arrival() const { return by_arrival_; }
  // Of the last change.
  [[nodiscard]] uint64_t version() const { return version_; }

  [[nodiscard]] size_t traces() const { return traces_.size(); }
  [[nodiscard]] size_t spans() const { return spans_; }
  [[nodiscard]] size_t bytes() const { return wire_bytes_ + origins_.bytes(); }

 private:
  class BatchOrigins;

  void AddTrace(const IncomingTrace& incoming, BatchOrigins& origins, RecentSpans& recent, AddCounts& counts);
  // Puts those of `spans` that `trace` does not have into block_ and added_.
  void AddSpans(std::span<IncomingSpan> spans, BatchOrigins& origins, StoredTrace& trace, AddCounts& counts);
  StoredTrace& FindOrAddTrace(const otlp::TraceId& id);
  void AddSpan(IncomingSpan& span, KnownOrigin& origin, StoredTrace& trace);
  // True if the trace, with block_, has a span with these bytes and that origin.
  [[nodiscard]] bool Has(const StoredTrace& trace, const IncomingSpan& span, const SpanOrigin& origin) const;
  // Puts block_ behind the trace's spans.
  void TakeBlock(StoredTrace& trace);
  [[nodiscard]] bool HasRoom(const StoredTrace& trace, const IncomingSpan& span, KnownOrigin& origin) const;
  [[nodiscard]] bool IsOverLimit() const;
  void Empty(StoredTrace& trace);
  void Refill(const std::vector<StoredSpan>& spans, StoredTrace& trace);
  std::unique_ptr<StoredTrace> Remove(StoredTrace& trace);

  const TableLimits limits_;
  absl::flat_hash_map<otlp::TraceId, std::unique_ptr<StoredTrace>> traces_;
  std::list<StoredTrace*> by_arrival_;
  std::optional<TraceIndex> index_;
  OriginTable origins_;
  // Of one trace, while it is added.
  std::vector<StoredSpan> block_;
  std::vector<const IncomingSpan*> added_;  // [block_]
  uint64_t version_ = 0;
  size_t spans_ = 0;
  size_t wire_bytes_ = 0;  // of the spans, without their origins
};

// The table with its lock, which is held for the time it takes to add a batch, to read a page of the index or to take
// spans out of a trace, never while spans are searched or copied.
struct LockedTable {
  explicit LockedTable(const TableLimits& limits) : table(limits) {}

  mutable Mutex mutex;
  TraceTable table ABSL_GUARDED_BY(mutex);
};

}  // namespace spanloom::store::head
