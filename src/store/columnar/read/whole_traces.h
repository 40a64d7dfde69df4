// SPDX-License-Identifier: Apache-2.0
//
// What every question of the columnar store reads: its traces, each once, with the spans that all parts have of it.

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/status.h"
#include "store/columnar/parts/damage_counter.h"
#include "store/columnar/parts/parts_table.h"
#include "store/columnar/parts/trace_gatherer.h"
#include "store/columnar/read/trace_walk.h"
#include "store/scan/read_meter.h"

namespace spanloom::store::columnar {

// Parts that are damaged are counted and left out. Thread-compatible. All that it is given must outlive it.
class WholeTraces {
 public:
  // As TraceWalk, over the parts as they are now.
  WholeTraces(const PartsTable& table, DamageCounter& damage, const TimeRange& starts, std::vector<otlp::TraceId> ids,
              TraceCandidates* candidates, scan::ReadMeter& meter)
      : parts_(table.Now()),
        split_(table.split()),
        damage_(damage),
        meter_(meter),
        walk_(parts_, split_, starts, std::move(ids), candidates),
        gatherer_(parts_, split_) {}

  // The next trace, newest first; nullopt at the end. Errors: the meter's, those of the disk.
  StatusOr<std::optional<WalkedTrace>> Next();

  // All its spans; null if none is there any more, or some can't be read. Errors: those of TraceGatherer, but for
  // kDataLoss.
  StatusOr<GatheredSpans> SpansOf(const WalkedTrace& trace);

  // TraceRow::version of the trace whose spans were asked for last.
  [[nodiscard]] uint64_t version() const { return gatherer_.version(); }

  // The segment that has the whole trace; null if another part may have spans of it as well.
  [[nodiscard]] const Segment* OnlySegmentOf(const WalkedTrace& trace) const {
    return split_.Contains(trace.id) ? nullptr : trace.hint.segment;
  }

  [[nodiscard]] uint64_t damaged_parts() const { return damaged_parts_; }

 private:
  void CountDamage(const Status& status);

  const Parts parts_;
  const SplitTraces& split_;
  DamageCounter& damage_;
  scan::ReadMeter& meter_;
  TraceWalk walk_;
  TraceGatherer gatherer_;
  uint64_t damaged_parts_ = 0;
};

}  // namespace spanloom::store::columnar
