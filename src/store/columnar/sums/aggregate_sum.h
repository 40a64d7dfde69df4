// SPDX-License-Identifier: Apache-2.0
//
// Aggregates (store/aggregate.h) summed up from columns.

#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "store/aggregate.h"
#include "store/columnar/match/field_columns.h"
#include "store/columnar/sums/column_sum.h"
#include "store/scan/span_aggregation.h"

namespace spanloom::store::columnar {

// Thread-compatible. Plan and aggregation must outlive it.
class AggregateSum final : public ColumnSum {
 public:
  AggregateSum(const AggregatePlan& plan, scan::SpanAggregation& aggregation)
      : plan_(plan), aggregation_(aggregation) {}

  void BeginSegment(const SegmentReader& reader) override;
  StatusOr<bool> AddGroup(PageColumns& page, uint32_t group, const SelectedRows& rows) override;
  Status AddMessages(scan::TraceReading& spans, scan::ReadMeter& meter) override {
    return aggregation_.Add(spans, meter);
  }

 private:
  // What an exemplar and a step need of the rows of a group.
  struct RowFacts {
    uint64_t start = 0;                    // of all rows, as far as anybody asks, where `starts` is empty
    std::vector<uint64_t> starts;          // [rows], or empty
    std::vector<otlp::TraceId> trace_ids;  // [rows], or empty if nobody asks
    std::vector<uint64_t> span_ids;        // the same
  };

  StatusOr<bool> BeginFields(PageColumns& page, uint32_t group);
  StatusOr<bool> ReadFacts(PageColumns& page, uint32_t group, RowFacts& facts) const;
  // True if all spans of the page count for one step.
  [[nodiscard]] bool IsOfOneStep(const PageRef& page) const;
  StatusOr<bool> ReadIds(PageColumns& page, uint32_t group, RowFacts& facts) const;
  Status AddRow(size_t row, const RowFacts& facts);

  const AggregatePlan& plan_;
  scan::SpanAggregation& aggregation_;
  std::optional<FieldColumns> of_;
  std::deque<FieldColumns> group_by_;  // [plan_.group_by]
  // Of one row, reused.
  std::vector<Cell> cells_;
  std::vector<double> numbers_;
};

}  // namespace spanloom::store::columnar
