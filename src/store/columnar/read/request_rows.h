// SPDX-License-Identifier: Apache-2.0
//
// The requests of a store: rows that stand beside segments where there are any, and those of other traces derived from
// their spans as they are now. docs/formats/requests.md.

#pragma once

#include <absl/container/flat_hash_set.h>
#include <absl/functional/function_ref.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "store/columnar/parts/damage_counter.h"
#include "store/columnar/parts/parts_table.h"
#include "store/columnar/parts/trace_gatherer.h"
#include "store/columnar/requests/request_chunk.h"
#include "store/request_row.h"
#include "store/row_query.h"
#include "store/scan/read_meter.h"

namespace spanloom::store::columnar {

// One question under way. Thread-compatible.
//
// Which traces are split is asked once, when it is known what the heads have and before segments are looked at: a trace
// that comes to a second part later is taken as it was.
class RequestRows {
 public:
  // All must outlive it.
  struct Of {
    const PartsTable& parts;
    DamageCounter& damage;
    const Clock& clock;
    const RequestDeriver& deriver;
  };
  // The parts are those of now. All that it is given must outlive it.
  RequestRows(const Of& of, const RowFilter<RequestColumn>& filter, scan::ReadMeter& meter);

  using Visit = absl::FunctionRef<Status(const RequestRow&)>;
  // What may be left out: rows, and all that arrive within [first, last].
  struct Wants {
    absl::FunctionRef<bool(const RequestRow&)> row;
    absl::FunctionRef<bool(uint64_t first_unix_ns, uint64_t last_unix_ns)> arrivals;
  };

  // Visits every row that may match the filter, each request once; keys may lack their spans. What is damaged is
  // counted and left out; damaged rows are derived. To be called once. Errors: those of `visit`, the meter's, those of
  // TraceGatherer but for kDataLoss, those of the disk.
  Status ForEach(Visit visit);
  // The same with whole keys, which take a read of the segment, and without some of what is not wanted.
  Status ForEachWanted(const Wants& wants, Visit visit);

 private:
  struct HeadTrace {
    otlp::TraceId id;
    head::TraceSpans spans;
  };
  // Rows of some traces that stand side by side in a segment.
  struct Stretch {
    uint64_t first_trace = 0;               // number
    std::optional<RequestChunk> rows = {};  // nullopt: all are derived
    bool is_elsewhere = false;              // all that are covered arrive at times that are not wanted
  };

  void AddHead(const head::LockedTable& table, std::vector<HeadTrace>& traces) const;
  Status VisitIds(Visit visit);
  Status VisitHeads(const std::vector<HeadTrace>& traces, Visit visit);
  Status VisitSegment(const Segment& segment, Visit visit);
  Status VisitChunk(const Segment& segment, const TraceChunkRef& chunk, Visit visit);
  [[nodiscard]] bool MayHave(const Segment& segment, uint64_t first_trace, uint64_t end_trace) const;
  [[nodiscard]] bool IsElsewhere(const RequestChunkRef& chunk) const;
  // The one with trace number `trace`, in a chunk of the trace table that begins with `first_trace`.
  StatusOr<Stretch> StretchWith(const Segment& segment, uint64_t trace, uint64_t first_trace);
  Status VisitTrace(const Segment& segment, const TracePlace& place, const Stretch& stretch, Visit visit);
  Status VisitRows(const TracePlace& place, const RequestChunk& rows, size_t trace, Visit visit);
  // False if the span can't be read.
  StatusOr<bool> SetSpanId(const TracePlace& place, uint64_t row);
  Status Derive(const otlp::TraceId& id, const TraceHint& hint, Visit visit);

  const Of of_;
  const RowFilter<RequestColumn>& filter_;
  scan::ReadMeter& meter_;
  const TimeRange starts_;  // of spans of requests that arrive as the filter says
  const uint64_t now_unix_ns_;
  const Parts parts_;
  TraceGatherer gatherer_;
  const Wants* wants_ = nullptr;  // null: keys need not be whole
  absl::flat_hash_set<otlp::TraceId> split_;
  absl::flat_hash_set<otlp::TraceId> seen_;  // of split_
  // Of the segment at hand.
  std::optional<SegmentBlocks> blocks_;
  RequestRow row_;  // reused
};

}  // namespace spanloom::store::columnar
