// SPDX-License-Identifier: Apache-2.0
//
// One Tail(): which of the spans that came last match, as a batch.

#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "store/head/trace_table.h"
#include "store/scan/batch_builder.h"
#include "store/scan/read_meter.h"
#include "store/scan/trace_reading.h"
#include "store/scan/trace_selector.h"
#include "store/span_store.h"

namespace spanloom::store::head {

// Thread-compatible; used once. `plan` must be valid; all that is passed by reference must outlive it.
class TailReader {
 public:
  TailReader(const FetchPlan& plan, const LockedTable& table, const Clock& clock)
      : plan_(plan), table_(table), meter_(plan.limits, clock), selector_(plan), builder_(plan) {}

  // From `position` on, which is of this store.
  StatusOr<TailBatch> Read(const TailPosition& position, size_t spans_max);

 private:
  static constexpr size_t kInspectedMax = 16'384;  // spans a call; guess

  // A trace that one of the spans is of.
  struct OpenTrace {
    TraceSpans spans;  // none if the trace is gone
    size_t size = 1;   // spans of it
    std::unique_ptr<scan::TraceReading> reading;
    absl::flat_hash_map<SpanIdentity, size_t> ordinals;
  };

  void Collect(const TailPosition& position, TailBatch& batch);
  // Where the span is in `reading`: in its trace if the plan asks for what is only known there, else alone.
  StatusOr<size_t> Locate(const RecentSpan& span, scan::TraceReading*& reading);
  Status Open(const otlp::TraceId& id, OpenTrace& trace);
  void AddRow(const RecentSpan& span, scan::TraceReading& reading, size_t ordinal, uint64_t matches);

  const FetchPlan& plan_;
  const LockedTable& table_;
  scan::ReadMeter meter_;
  scan::TraceSelector selector_;
  scan::BatchBuilder builder_;
  scan::TraceReading alone_;
  std::vector<RecentSpan> spans_;
  absl::flat_hash_map<otlp::TraceId, OpenTrace> traces_;
  std::optional<otlp::TraceId> last_id_;  // of the last row
};

}  // namespace spanloom::store::head
