// SPDX-License-Identifier: Apache-2.0

#include "store/scan/span_aggregation.h"

#include "store/scan/span_fields.h"

namespace spanloom::store::scan {
namespace {

Cell FirstValue(const Field& field, TraceReading& trace, size_t ordinal, TextArena& texts) {
  Cell first;
  ForEachValue(field, trace, ordinal, texts, [&first](const Cell& cell) {
    first = cell;
    return false;
  });
  return first;
}

}  // namespace

SpanAggregation::SpanAggregation(const AggregatePlan& plan)
    : plan_(plan),
      where_(plan.where),
      table_({.starts = plan.starts,
              .step_ns = plan.step_ns,
              .has_of = plan.of.has_value(),
              .wants_distribution = plan.wants_distribution,
              .series_max = plan.series_max,
              .exemplars_max = plan.exemplars_max,
              .bytes_max = plan.limits.bytes_max}) {}

Status SpanAggregation::Add(TraceReading& trace, ReadMeter& meter) {
  for (size_t ordinal = 0; ordinal < trace.size(); ++ordinal) {
    RETURN_IF_ERROR(meter.Step());
    if (!plan_.starts.Contains(trace.start_unix_ns(ordinal)) || !where_.Matches(trace, ordinal)) continue;
    RETURN_IF_ERROR(AddSpan(trace, ordinal));
  }
  return absl::OkStatus();
}

Status SpanAggregation::AddSpan(TraceReading& trace, size_t ordinal) {
  texts_.Clear();
  group_.clear();
  numbers_.clear();
  for (const Field& field : plan_.group_by) group_.push_back(FirstValue(field, trace, ordinal, texts_));
  if (plan_.of) {
    ForEachValue(*plan_.of, trace, ordinal, texts_, [this](const Cell& cell) {
      if (const auto number = cell.number()) numbers_.push_back(*number);
      return true;
    });
  }
  return table_.Add(group_, trace.start_unix_ns(ordinal), numbers_, trace.id(), trace.view(ordinal).span_id());
}

}  // namespace spanloom::store::scan
