// SPDX-License-Identifier: Apache-2.0
//
// Which traces of a segment a question may select, by columns: a search looks at the spans of few others.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "base/status.h"
#include "store/columnar/match/segment_matcher.h"
#include "store/columnar/match/text_demand.h"
#include "store/columnar/parts/parts.h"
#include "store/columnar/parts/segment.h"
#include "store/columnar/parts/split_traces.h"
#include "store/fetch.h"
#include "store/scan/read_meter.h"

namespace spanloom::store::columnar {

// Thread-compatible. The segments must outlive it. A block that is damaged rules out nothing: its damage is found when
// the spans are read.
class TraceCandidates {
 public:
  // As FetchPlan: a trace is selected by spans that meet `spansets`. They must be valid; all that it is given must
  // outlive it.
  TraceCandidates(std::span<const Predicate> spansets, FetchPlan::Join join, const SplitTraces& split,
                  scan::ReadMeter& meter)
      : spansets_(spansets), demands_(spansets.begin(), spansets.end()), join_(join), split_(split), meter_(meter) {}

  // False: no trace of the segment can be selected. Errors: those of the disk.
  StatusOr<bool> MayHave(const Segment& segment);

  // The traces of a chunk that may be selected, in order. Errors: kDataLoss for the trace table, those of the disk,
  // the meter's.
  StatusOr<std::vector<TracePlace>> InChunk(const Segment& segment, size_t chunk);

 private:
  using PageRows = std::vector<RowBits>;  // [spansets]: the rows of a page that may match
  struct SegmentState {
    explicit SegmentState(const SegmentReader& reader) : table(reader) {}

    TraceTableReader table;
    std::vector<SegmentMatcher> spansets;
    std::map<size_t, PageRows> pages;  // by number
  };

  SegmentState& StateOf(const Segment& segment);
  StatusOr<const PageRows*> RowsOf(const Segment& segment, size_t page);
  static StatusOr<RowBits> MayRows(SegmentMatcher& matcher, PageColumns& page);
  StatusOr<bool> HasAny(const Segment& segment, size_t first_page, size_t last_page);
  [[nodiscard]] bool MaySelect(const SegmentState& state, const TracePlace& trace) const;
  [[nodiscard]] static bool HasRow(const SegmentState& state, size_t spanset, uint64_t begin, uint64_t end);

  const std::span<const Predicate> spansets_;
  const std::vector<TextDemand> demands_;  // [spansets]
  const FetchPlan::Join join_;
  const SplitTraces& split_;
  scan::ReadMeter& meter_;
  std::map<const Segment*, SegmentState> segments_;
};

}  // namespace spanloom::store::columnar
