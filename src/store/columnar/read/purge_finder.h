// SPDX-License-Identifier: Apache-2.0
//
// Which spans of segments a purge takes.

#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "store/columnar/parts/parts.h"
#include "store/columnar/parts/split_traces.h"
#include "store/columnar/parts/trace_gatherer.h"
#include "store/columnar/read/trace_candidates.h"
#include "store/retention.h"
#include "store/scan/predicate_matcher.h"
#include "store/scan/read_meter.h"
#include "store/scan/trace_reading.h"

namespace spanloom::store::columnar {

// What goes of a trace in one segment.
struct PurgedTrace {
  otlp::TraceId id;
  std::vector<uint32_t> rows;        // of the trace, ascending; at least one
  bool is_whole = false;             // these are all
  uint64_t first_start_unix_ns = 0;  // of the spans that are left
};

// What goes of one segment.
struct PurgedTraces {
  absl::flat_hash_map<uint64_t, PurgedTrace> traces;  // by number
  uint64_t spans = 0;
};

// Thread-compatible. All that it is given must outlive it.
class PurgeFinder {
 public:
  // `plan` must be valid. A condition about the trace is asked of all spans that `parts` have of it.
  PurgeFinder(const PurgePlan& plan, const Parts& parts, const SplitTraces& split, scan::ReadMeter& meter);

  // In one of the segments of the parts. Errors: kDataLoss, those of the disk.
  StatusOr<PurgedTraces> FindIn(size_t segment);

 private:
  StatusOr<std::vector<TracePlace>> PlacesIn(const Segment& segment, size_t chunk);
  Status AddIds(size_t segment, PurgedTraces& found);
  Status AddTrace(size_t segment, const TracePlace& place, PurgedTraces& found);
  // All rows of the trace, which are not looked at.
  static void AddWhole(const TracePlace& place, PurgedTraces& found);
  // Reads the trace, as far as the plan needs it. Returns how many of its spans come before those of the segment.
  StatusOr<uint64_t> Read(size_t segment, const TracePlace& place);

  const PurgePlan& plan_;
  const Parts& parts_;
  const SplitTraces& split_;
  scan::ReadMeter& meter_;
  scan::PredicateMatcher where_;
  TraceCandidates candidates_;
  TraceGatherer gatherer_;
  GatheredSpans spans_;  // of the trace that is looked at
  scan::TraceReading reading_;
};

}  // namespace spanloom::store::columnar
