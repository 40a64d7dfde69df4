// SPDX-License-Identifier: Apache-2.0
//
// What is made of the rows of traces: one page in some order, or groups.

#pragma once

#include <optional>
#include <utility>

#include "base/status.h"
#include "store/aggregate.h"
#include "store/columnar/read/trace_row_walk.h"
#include "store/row_query.h"
#include "store/scan/row_selection.h"

namespace spanloom::store::columnar {

// Thread-compatible. The query must outlive it. Errors: those of scan::RowSelection.
class TracePage final : public TraceRowSink {
 public:
  static StatusOr<TracePage> Create(const RowQuery<TraceColumn>& query) {
    ASSIGN_OR_RETURN(Selection selection, Selection::Create(query));
    return TracePage(query, std::move(selection));
  }

  [[nodiscard]] bool MayWant(const TraceChunkRef& chunk, bool are_whole) const override;
  Status Add(const TraceRowView& row) override;
  Status Add(TraceRow row) override { return selection_.Add(std::make_shared<const TraceRow>(std::move(row))); }
  [[nodiscard]] RowPage<TraceRow> Take() && { return std::move(selection_).Take(); }

 private:
  using Selection = scan::RowSelection<TraceRow, TraceColumn>;

  TracePage(const RowQuery<TraceColumn>& query, Selection selection);

  const std::optional<TraceSlot> order_slot_;  // that has the values that rows are ordered by, if one has
  Selection selection_;
};

// The same. Errors: those of scan::RowGroups.
class TraceGroups final : public TraceRowSink {
 public:
  static StatusOr<TraceGroups> Create(const RowGroupQuery<TraceColumn>& query) {
    ASSIGN_OR_RETURN(Groups groups, Groups::Create(query));
    return TraceGroups(std::move(groups));
  }

  [[nodiscard]] bool MayWant(const TraceChunkRef&, bool) const override { return true; }
  Status Add(const TraceRowView& row) override { return groups_.Add(row); }
  Status Add(TraceRow row) override { return groups_.Add(row); }
  [[nodiscard]] AggregateAnswer Take() && { return std::move(groups_).Take(); }

 private:
  using Groups = scan::RowGroups<TraceColumn>;

  explicit TraceGroups(Groups groups) : groups_(std::move(groups)) {}

  Groups groups_;
};

}  // namespace spanloom::store::columnar
