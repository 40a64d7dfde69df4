// SPDX-License-Identifier: Apache-2.0
//
// Answers questions to a summary table by looking at its rows one after the other: a page in some order, or groups. The
// same for traces and requests; `Row` has the functions of row_columns.h for its `Column`.

#pragma once

#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/text.h"
#include "store/predicate.h"
#include "store/row_query.h"
#include "store/scan/condition_check.h"
#include "store/scan/page_token.h"
#include "store/scan/row_columns.h"
#include "store/scan/series_table.h"

namespace spanloom::store::scan {

// kInvalidArgument for an operand that its comparison can't take.
template <typename Column>
Status ValidateFilter(const RowFilter<Column>& filter) {
  for (const RowCondition<Column>& condition : filter.all) {
    RETURN_IF_ERROR(Annotate(ValidateOperand(condition.comparison, condition.operand), NameOf(condition.column)));
  }
  return absl::OkStatus();
}

// Compiled once, asked of many rows, or of anything that has the functions of row_columns.h. Thread-compatible.
template <typename Column>
class RowMatcher {
 public:
  // `filter` must be valid; it need not outlive the matcher.
  explicit RowMatcher(const RowFilter<Column>& filter)
      : starts_(filter.starts), traces_(filter.traces.begin(), filter.traces.end()) {
    for (const RowCondition<Column>& condition : filter.all) {
      checks_.emplace_back(condition.column, ConditionCheck(condition.comparison, condition.operand));
    }
  }

  template <typename Row>
  [[nodiscard]] bool Matches(const Row& row) {
    if (!starts_.Contains(StartOf(row))) return false;
    if (!traces_.empty() && !traces_.contains(TraceIdOf(row))) return false;
    return std::all_of(checks_.begin(), checks_.end(),
                       [&](const auto& check) { return Holds(check.second, row, check.first); });
  }

 private:
  template <typename Row>
  bool Holds(const ConditionCheck& check, const Row& row, Column column) {
    cells_.clear();
    AppendCells(row, column, cells_);
    ConditionCheck::Verdict verdict(check);
    for (const Cell& cell : cells_) {
      if (!verdict.Add(cell)) break;
    }
    return verdict.holds();
  }

  const TimeRange starts_;
  const absl::flat_hash_set<otlp::TraceId> traces_;
  std::vector<std::pair<Column, ConditionCheck>> checks_;
  std::vector<Cell> cells_;  // reused
};

// One page. Keeps no more rows than that. Thread-compatible.
template <typename Row, typename Column>
class RowSelection {
 public:
  // kInvalidArgument: the filter, no rows asked for, a page that is none of ours. `query` must outlive the selection.
  static StatusOr<RowSelection> Create(const RowQuery<Column>& query) {
    RETURN_IF_ERROR(ValidateFilter(query.filter));
    if (query.rows_max == 0) return absl::InvalidArgumentError("rows_max must be positive");
    std::optional<RowPlace> after;
    if (!query.page.empty()) {
      ASSIGN_OR_RETURN(after, DecodePageToken(query.page, static_cast<uint8_t>(query.order_by), query.is_descending));
    }
    return RowSelection(query, std::move(after));
  }

  // False if Add() would not keep the row, whatever its key is. `view` has the functions of row_columns.h.
  template <typename View>
  [[nodiscard]] bool MayKeep(const View& view) {
    if (!matcher_.Matches(view)) return false;
    if (heap_.size() < query_.rows_max || !ComesBehind(OrderOf(view), heap_.front().place.value)) return true;
    has_more_ = true;
    return false;
  }

  // `row` is shared, since most rows are looked at and few are kept. Errors: kResourceExhausted, if the page exceeds
  // limits.bytes_max.
  Status Add(std::shared_ptr<const Row> row) {
    const Row& looked_at = *row;
    return Add(looked_at, [&] { return std::move(row); });
  }

  // The same for a row that `make` makes, if it is to be kept. `view` has the functions of row_columns.h.
  template <typename View, typename Make>
  Status Add(const View& view, Make make) {
    if (!matcher_.Matches(view)) return absl::OkStatus();
    Ranked ranked = {.place = {.value = OrderOf(view)}, .row = nullptr};
    const bool is_full = heap_.size() == query_.rows_max;
    if (is_full && ComesBehind(ranked.place.value, heap_.front().place.value)) {
      has_more_ = true;
      return absl::OkStatus();
    }
    ranked.place.key = KeyOf(view);
    if (after_ && !ComesBefore(*after_, ranked.place, query_.is_descending)) return absl::OkStatus();
    const auto comes_before = [this](const Ranked& a, const Ranked& b) {
      return ComesBefore(a.place, b.place, query_.is_descending);
    };
    if (is_full && !comes_before(ranked, heap_.front())) {
      has_more_ = true;
      return absl::OkStatus();
    }
    ranked.row = make();
    bytes_ += BytesOf(*ranked.row);
    heap_.push_back(std::move(ranked));
    std::push_heap(heap_.begin(), heap_.end(), comes_before);
    if (heap_.size() > query_.rows_max) {
      std::pop_heap(heap_.begin(), heap_.end(), comes_before);
      bytes_ -= BytesOf(*heap_.back().row);
      heap_.pop_back();
      has_more_ = true;
    }
    if (bytes_ <= query_.limits.bytes_max) return absl::OkStatus();
    return absl::ResourceExhaustedError(
        StrCat("the rows exceed ", query_.limits.bytes_max, " bytes; ask for smaller pages"));
  }

  // False if no row whose value of order_by lies within [least, greatest] changes the page any more. Neither may be
  // none.
  [[nodiscard]] bool MayChange(const Value& least, const Value& greatest) const {
    const Value& first = query_.is_descending ? greatest : least;
    const Value& last = query_.is_descending ? least : greatest;
    if (after_ && ComesBehind(after_->value, last)) return false;
    return !has_more_ || heap_.size() < query_.rows_max || !ComesBehind(first, heap_.front().place.value);
  }

  [[nodiscard]] RowPage<Row> Take() && {
    std::sort(heap_.begin(), heap_.end(),
              [this](const Ranked& a, const Ranked& b) { return ComesBefore(a.place, b.place, query_.is_descending); });
    RowPage<Row> page;
    for (const Ranked& ranked : heap_) page.rows.push_back(*ranked.row);
    if (has_more_) {
      page.next = EncodePageToken(heap_.back().place, static_cast<uint8_t>(query_.order_by), query_.is_descending);
    }
    return page;
  }

 private:
  struct Ranked {
    RowPlace place;
    std::shared_ptr<const Row> row;  // shared with the store
  };

  RowSelection(const RowQuery<Column>& query, std::optional<RowPlace> after)
      : query_(query), matcher_(query.filter), after_(std::move(after)) {}

  template <typename View>
  Value OrderOf(const View& view) {
    cells_.clear();
    AppendCells(view, query_.order_by, cells_);
    return cells_.empty() ? Value() : Value(cells_.front());
  }

  // True if `a` comes after `b` whatever the keys are.
  [[nodiscard]] bool ComesBehind(const Value& a, const Value& b) const {
    return a != b && ComesBefore({.value = b}, {.value = a}, query_.is_descending);
  }

  const RowQuery<Column>& query_;
  RowMatcher<Column> matcher_;
  std::optional<RowPlace> after_;
  std::vector<Ranked> heap_;  // the last one of the page first
  bool has_more_ = false;
  size_t bytes_ = 0;
  std::vector<Cell> cells_;  // reused
};

// Groups of rows. Thread-compatible.
template <typename Column>
class RowGroups {
 public:
  // kInvalidArgument: the filter, or what AggregatePlan::Validate refuses. `query` must outlive the groups.
  static StatusOr<RowGroups> Create(const RowGroupQuery<Column>& query) {
    RETURN_IF_ERROR(ValidateFilter(query.filter));
    const AggregatePlan plan = {.starts = query.filter.starts,
                                .step_ns = query.step_ns,
                                .of = query.of ? std::optional(Field()) : std::nullopt,
                                .wants_distribution = query.wants_distribution,
                                .group_by = std::vector<Field>(query.group_by.size()),
                                .series_max = query.series_max};
    RETURN_IF_ERROR(plan.Validate());
    return RowGroups(query);
  }

  // A row, or anything that has the functions of row_columns.h. Errors: SeriesTable::Add.
  template <typename View>
  Status Add(const View& row) {
    if (!matcher_.Matches(row)) return absl::OkStatus();
    group_.clear();
    for (const Column column : query_.group_by) {
      cells_.clear();
      AppendCells(row, column, cells_);
      group_.push_back(cells_.empty() ? Cell() : cells_.front());
    }
    numbers_.clear();
    if (query_.of) {
      cells_.clear();
      AppendCells(row, *query_.of, cells_);
      for (const Cell& cell : cells_) {
        if (const auto number = cell.number()) numbers_.push_back(*number);
      }
    }
    return table_.Add(group_, StartOf(row), numbers_, TraceIdOf(row), SpanIdOf(row));
  }

  [[nodiscard]] AggregateAnswer Take() && { return std::move(table_).Take(); }

 private:
  explicit RowGroups(const RowGroupQuery<Column>& query)
      : query_(query),
        matcher_(query.filter),
        table_({.starts = query.filter.starts,
                .step_ns = query.step_ns,
                .has_of = query.of.has_value(),
                .wants_distribution = query.wants_distribution,
                .series_max = query.series_max,
                .bytes_max = query.limits.bytes_max}) {}

  const RowGroupQuery<Column>& query_;
  RowMatcher<Column> matcher_;
  SeriesTable table_;
  // Of one row, reused.
  std::vector<Cell> cells_;
  std::vector<Cell> group_;
  std::vector<double> numbers_;
};

}  // namespace spanloom::store::scan
