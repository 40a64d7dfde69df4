// SPDX-License-Identifier: Apache-2.0
//
// Questions to the summary tables: a page of rows, or groups of rows. The same for traces (TraceRow, TraceColumn) and
// requests (RequestRow, RequestColumn).

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "otlp/ids.h"
#include "store/aggregate.h"
#include "store/read_limits.h"
#include "store/time_range.h"
#include "store/value.h"

namespace spanloom::store {

template <typename Column>
struct RowCondition {
  Column column = {};
  Comparison comparison = Comparison::kEqual;
  Value operand = {};
};

// Which rows: all conditions hold.
template <typename Column>
struct RowFilter {
  TimeRange starts = {};  // of the trace's first span; of the request's arrival
  std::vector<RowCondition<Column>> all = {};
  std::vector<otlp::TraceId> traces = {};  // only rows of these; any, if empty
};

template <typename Column>
struct RowQuery {
  RowFilter<Column> filter = {};
  Column order_by = {};       // rows without a value come last, either way
  bool is_descending = true;  // ties by key, ascending, either way
  size_t rows_max = 100;      // at least 1
  std::string page = {};      // "": the first; else RowPage::next of the same query
  ReadLimits limits = {};
};

template <typename Row>
struct RowPage {
  std::vector<Row> rows;
  std::string next;  // "" at the end. Opaque; kInvalidArgument if it is none of ours
};

// A heatmap is groups by step, with a distribution; percentiles of a phase are one group; goodput is two counts.
template <typename Column>
struct RowGroupQuery {
  RowFilter<Column> filter = {};
  uint64_t step_ns = 0;               // as AggregatePlan
  std::vector<Column> group_by = {};  // at most AggregatePlan::kGroupsMax
  std::optional<Column> of = {};      // as AggregatePlan
  bool wants_distribution = false;
  size_t series_max = 10'000;
  ReadLimits limits = {};
};

}  // namespace spanloom::store
