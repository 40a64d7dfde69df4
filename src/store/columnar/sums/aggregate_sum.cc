// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/sums/aggregate_sum.h"

#include <algorithm>
#include <cstring>

namespace spanloom::store::columnar {

void AggregateSum::BeginSegment(const SegmentReader& reader) {
  of_.reset();
  group_by_.clear();
  if (plan_.of) of_.emplace(*plan_.of, reader);
  for (const Field& field : plan_.group_by) group_by_.emplace_back(field, reader);
}

StatusOr<bool> AggregateSum::BeginFields(PageColumns& page, uint32_t group) {
  if (of_) {
    ASSIGN_OR_RETURN(const bool is_known, of_->Begin(page, group));
    if (!is_known) return false;
  }
  for (FieldColumns& field : group_by_) {
    ASSIGN_OR_RETURN(const bool is_known, field.Begin(page, group));
    if (!is_known) return false;
  }
  return true;
}

StatusOr<bool> AggregateSum::AddGroup(PageColumns& page, uint32_t group, const SelectedRows& rows) {
  RowFacts facts;
  ASSIGN_OR_RETURN(const bool knows_facts, ReadFacts(page, group, facts));
  if (!knows_facts) return false;
  ASSIGN_OR_RETURN(const bool knows_fields, BeginFields(page, group));
  if (!knows_fields) return false;
  Status status;
  rows.ForEach([&](size_t row) {
    if (status.ok()) status = AddRow(row, facts);
  });
  RETURN_IF_ERROR(status);
  return true;
}

bool AggregateSum::IsOfOneStep(const PageRef& page) const {
  if (plan_.step_ns == 0) return true;
  if (!plan_.starts.Contains(page.start_min) || !plan_.starts.Contains(page.start_max)) return false;
  const auto step = [&](uint64_t start) { return (start - plan_.starts.begin_unix_ns) / plan_.step_ns; };
  return step(page.start_min) == step(page.start_max);
}

StatusOr<bool> AggregateSum::ReadFacts(PageColumns& page, uint32_t group, RowFacts& facts) const {
  if (plan_.exemplars_max == 0 && IsOfOneStep(page.ref())) {
    facts.start = plan_.step_ns == 0 ? plan_.starts.begin_unix_ns : page.ref().start_min;
    return true;
  }
  ASSIGN_OR_RETURN(const auto starts, page.Starts(group));
  if (!starts) return false;
  facts.starts.assign(starts->begin(), starts->end());
  if (plan_.exemplars_max == 0) return true;
  return ReadIds(page, group, facts);
}

StatusOr<bool> AggregateSum::ReadIds(PageColumns& page, uint32_t group, RowFacts& facts) const {
  const Shape& shape = page.reader().index().shapes()[page.groups(RowTable::kSpans)[group].shape];
  const auto slot = std::ranges::find(shape.slot_ops, Op::kSpanId);
  if (slot == shape.slot_ops.end()) return false;
  ASSIGN_OR_RETURN(const auto rows, page.RowsOf(RowTable::kSpans, group));
  ASSIGN_OR_RETURN(const auto traces, page.Traces());
  ASSIGN_OR_RETURN(const auto trace_of_rows, page.TraceOfRows());
  for (const uint32_t row : rows) facts.trace_ids.push_back(traces[trace_of_rows[row]].place.id());
  ASSIGN_OR_RETURN(const auto ids,
                   page.Numbers(RowTable::kSpans, group, static_cast<size_t>(slot - shape.slot_ops.begin())));
  facts.span_ids.assign(ids.begin(), ids.end());
  return true;
}

Status AggregateSum::AddRow(size_t row, const RowFacts& facts) {
  cells_.clear();
  numbers_.clear();
  for (const FieldColumns& field : group_by_) cells_.push_back(field.First(row));
  if (of_) {
    of_->ForEach(row, [this](const Cell& cell) {
      if (const auto number = cell.number()) numbers_.push_back(*number);
      return true;
    });
  }
  otlp::SpanId span_id;
  if (!facts.span_ids.empty()) std::memcpy(span_id.bytes.data(), &facts.span_ids[row], sizeof(uint64_t));
  return aggregation_.table().Add(cells_, facts.starts.empty() ? facts.start : facts.starts[row], numbers_,
                                  facts.trace_ids.empty() ? otlp::TraceId() : facts.trace_ids[row], span_id);
}

}  // namespace spanloom::store::columnar
