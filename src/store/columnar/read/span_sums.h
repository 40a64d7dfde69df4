// SPDX-License-Identifier: Apache-2.0
//
// Sums over the single spans of a store: each part is read for itself, segments column by column.

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/status.h"
#include "store/columnar/match/segment_matcher.h"
#include "store/columnar/match/text_demand.h"
#include "store/columnar/parts/damage_counter.h"
#include "store/columnar/parts/parts_table.h"
#include "store/columnar/sums/column_sum.h"
#include "store/predicate.h"
#include "store/scan/read_meter.h"
#include "store/time_range.h"

namespace spanloom::store::columnar {

// One question under way. Thread-compatible. All that it is given must outlive it.
class SpanSums {
 public:
  // `where` must be valid, and not about traces. Spans that start within `starts` and meet it count.
  SpanSums(const PartsTable& table, DamageCounter& damage, const Predicate& where, const TimeRange& starts,
           scan::ReadMeter& meter)
      : parts_(table.Now()), damage_(damage), where_(where), demand_(where), starts_(starts), meter_(meter) {}

  // Adds them all to `sum`. Pages that are damaged are counted and left out. Errors: the meter's, the sum's, those of
  // the disk.
  Status AddTo(ColumnSum& sum);

 private:
  Status AddHead(const head::LockedTable& table, ColumnSum& sum);
  // Of traces all of whose spans count, if that is enough for the sum.
  Status AddOrigins(const std::vector<head::TraceSpans>& traces, ColumnSum& sum);
  Status AddSegment(const Segment& segment, ColumnSum& sum);
  Status AddPage(const Segment& segment, SegmentMatcher& matcher, PageColumns& page, ColumnSum& sum);
  // Which of the rows of a group count, beside what `where` says; nullopt if columns do not say. `gone`: of the page.
  StatusOr<std::optional<RowSet>> CountedRows(const Segment& segment, PageColumns& page, Gone gone,
                                              uint32_t group) const;
  // Adds rows of the page as messages.
  Status AddMessages(const Segment& segment, PageColumns& page, const RowBits& rows, ColumnSum& sum);

  const Parts parts_;
  DamageCounter& damage_;
  const Predicate& where_;
  const TextDemand demand_;
  const TimeRange& starts_;
  scan::ReadMeter& meter_;
};

}  // namespace spanloom::store::columnar
