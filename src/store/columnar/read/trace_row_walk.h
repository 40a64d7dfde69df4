// SPDX-License-Identifier: Apache-2.0
//
// Goes through the rows of traces, each once: of a trace that lies in one segment the row that stands there is looked
// at, without a copy; others are summed up from their spans.

#pragma once

#include <absl/container/flat_hash_set.h>

#include <vector>

#include "base/status.h"
#include "store/columnar/parts/damage_counter.h"
#include "store/columnar/parts/parts_table.h"
#include "store/columnar/parts/trace_gatherer.h"
#include "store/columnar/read/trace_row_view.h"
#include "store/row_query.h"
#include "store/scan/read_meter.h"
#include "store/scan/trace_reading.h"

namespace spanloom::store::columnar {

// What takes the rows. Errors end the walk.
class TraceRowSink {
 public:
  virtual ~TraceRowSink() = default;

  // False if none of the traces of a chunk changes anything. `are_whole`: their rows are what stands there; else some
  // may have spans elsewhere.
  [[nodiscard]] virtual bool MayWant(const TraceChunkRef& chunk, bool are_whole) const = 0;
  virtual Status Add(const TraceRowView& row) = 0;
  virtual Status Add(TraceRow row) = 0;
};

// One question under way, over the parts as they are when it is made. Damaged parts are counted and left out. Thread-
// compatible. All that it is given must outlive it.
class TraceRowWalk {
 public:
  TraceRowWalk(const PartsTable& table, DamageCounter& damage, scan::ReadMeter& meter)
      : parts_(table.Now()), split_(table.split()), damage_(damage), meter_(meter), gatherer_(parts_, split_) {}

  // Hands at least all rows that `filter` may mean to `sink`: those of segments newest first, as far as whole segments
  // can be put in order. Errors: the meter's, the sink's, those of the disk.
  Status AddTo(const RowFilter<TraceColumn>& filter, TraceRowSink& sink);

 private:
  Status AddById(const otlp::TraceId& id, TraceRowSink& sink);
  Status AddSegment(const Segment& segment, const TimeRange& starts, TraceRowSink& sink);
  Status AddChunk(const Segment& segment, const TraceChunkRef& chunk, TraceRowSink& sink);
  Status AddHead(const head::LockedTable& table, const TimeRange& starts, TraceRowSink& sink);
  // Sums up the spans that all parts have of it.
  Status AddGathered(const otlp::TraceId& id, const TraceHint& hint, TraceRowSink& sink);
  // Counts damage; other errors stay.
  Status Pardon(const Status& status);

  const Parts parts_;
  const SplitTraces& split_;
  DamageCounter& damage_;
  scan::ReadMeter& meter_;
  TraceGatherer gatherer_;
  scan::TraceReading reading_;
  absl::flat_hash_set<otlp::TraceId> in_several_parts_;  // that were met
};

}  // namespace spanloom::store::columnar
