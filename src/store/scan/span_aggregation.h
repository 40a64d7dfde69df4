// SPDX-License-Identifier: Apache-2.0
//
// Sums up the spans of one trace after the other, as an AggregatePlan says.

#pragma once

#include <vector>

#include "base/status.h"
#include "store/aggregate.h"
#include "store/scan/predicate_matcher.h"
#include "store/scan/read_meter.h"
#include "store/scan/series_table.h"
#include "store/scan/text_arena.h"
#include "store/scan/trace_reading.h"

namespace spanloom::store::scan {

// Thread-compatible. `plan` must be valid and outlive it.
class SpanAggregation {
 public:
  explicit SpanAggregation(const AggregatePlan& plan);

  // Errors: SeriesTable::Add, the meter's.
  Status Add(TraceReading& trace, ReadMeter& meter);

  // For spans whose fields were read in another way.
  [[nodiscard]] SeriesTable& table() { return table_; }

  [[nodiscard]] AggregateAnswer Take() && { return std::move(table_).Take(); }

 private:
  Status AddSpan(TraceReading& trace, size_t ordinal);

  const AggregatePlan& plan_;
  PredicateMatcher where_;
  SeriesTable table_;
  // Of one span, reused.
  std::vector<Cell> group_;
  std::vector<double> numbers_;
  TextArena texts_;
};

}  // namespace spanloom::store::scan
