// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/read/columnar_queries.h"

#include <algorithm>
#include <optional>

#include "store/columnar/parts/trace_gatherer.h"
#include "store/columnar/read/columnar_cursor.h"
#include "store/columnar/read/request_rows.h"
#include "store/columnar/read/span_sums.h"
#include "store/columnar/read/trace_row_sinks.h"
#include "store/columnar/read/trace_row_walk.h"
#include "store/columnar/read/whole_traces.h"
#include "store/columnar/sums/aggregate_sum.h"
#include "store/columnar/sums/name_sums.h"
#include "store/scan/row_selection.h"
#include "store/scan/span_aggregation.h"
#include "store/scan/span_names.h"

namespace spanloom::store::columnar {
namespace {

void SortByStart(std::vector<StoredSpan>& spans) {
  std::ranges::stable_sort(spans, {}, [](const StoredSpan& span) { return span.span().start_unix_ns(); });
}

}  // namespace

StatusOr<Trace> ColumnarQueries::GetTrace(const otlp::TraceId& id, const TimeRange&, const ReadLimits& limits) const {
  scan::ReadMeter meter(limits, clock_);
  RETURN_IF_ERROR(meter.Check());
  const Parts parts = parts_.Now();
  ASSIGN_OR_RETURN(const GatheredSpans spans, TraceGatherer(parts, parts_.split()).Gather(id, {}, meter));
  if (spans == nullptr) return absl::NotFoundError("trace not found");
  Trace trace = {.id = id, .spans = *spans};
  SortByStart(trace.spans);
  return trace;
}

StatusOr<std::unique_ptr<SpanCursor>> ColumnarQueries::Fetch(FetchPlan plan) const {
  RETURN_IF_ERROR(plan.Validate());
  return std::make_unique<ColumnarCursor>(std::move(plan), parts_, damage_, clock_);
}

Status ColumnarQueries::SumUpSpans(ColumnSum& sum, const Predicate& where, const TimeRange& starts,
                                   const ReadLimits& limits) const {
  scan::ReadMeter meter(limits, clock_);
  return SpanSums(parts_, damage_, where, starts, meter).AddTo(sum);
}

template <typename Sums>
auto ColumnarQueries::SumUpTraces(Sums sums, const Predicate& where, const TimeRange& starts,
                                  const ReadLimits& limits) const -> StatusOr<decltype(std::move(sums).Take())> {
  scan::ReadMeter meter(limits, clock_);
  RETURN_IF_ERROR(meter.Check());
  TraceCandidates candidates({&where, 1}, FetchPlan::Join::kAny, parts_.split(), meter);
  WholeTraces traces(parts_, damage_, starts, {}, &candidates, meter);
  scan::TraceReading reading;
  while (true) {
    ASSIGN_OR_RETURN(const std::optional<WalkedTrace> trace, traces.Next());
    if (!trace) return std::move(sums).Take();
    ASSIGN_OR_RETURN(const GatheredSpans spans, traces.SpansOf(*trace));
    if (spans == nullptr) continue;
    RETURN_IF_ERROR(reading.Read(trace->id, *spans, meter));
    RETURN_IF_ERROR(sums.Add(reading, meter));
  }
}

StatusOr<AggregateAnswer> ColumnarQueries::Aggregate(const AggregatePlan& plan) const {
  RETURN_IF_ERROR(plan.Validate());
  if (plan.starts.IsEmpty()) return AggregateAnswer{};
  scan::SpanAggregation aggregation(plan);
  const auto needs_trace = [](const Field& field) { return field.needs_trace(); };
  if (scan::PredicateMatcher(plan.where).needs_trace() || (plan.of && plan.of->needs_trace()) ||
      std::ranges::any_of(plan.group_by, needs_trace)) {
    return SumUpTraces(std::move(aggregation), plan.where, plan.starts, plan.limits);
  }
  AggregateSum sum(plan, aggregation);
  RETURN_IF_ERROR(SumUpSpans(sum, plan.where, plan.starts, plan.limits));
  return std::move(aggregation).Take();
}

StatusOr<RowPage<TraceRow>> ColumnarQueries::Traces(const RowQuery<TraceColumn>& query) const {
  ASSIGN_OR_RETURN(TracePage page, TracePage::Create(query));
  scan::ReadMeter meter(query.limits, clock_);
  RETURN_IF_ERROR(TraceRowWalk(parts_, damage_, meter).AddTo(query.filter, page));
  return std::move(page).Take();
}

StatusOr<AggregateAnswer> ColumnarQueries::GroupTraces(const RowGroupQuery<TraceColumn>& query) const {
  ASSIGN_OR_RETURN(TraceGroups groups, TraceGroups::Create(query));
  if (query.filter.starts.IsEmpty()) return AggregateAnswer{};
  scan::ReadMeter meter(query.limits, clock_);
  RETURN_IF_ERROR(TraceRowWalk(parts_, damage_, meter).AddTo(query.filter, groups));
  return std::move(groups).Take();
}

StatusOr<RowPage<RequestRow>> ColumnarQueries::Requests(const RowQuery<RequestColumn>& query) const {
  using Selection = scan::RowSelection<RequestRow, RequestColumn>;
  ASSIGN_OR_RETURN(Selection selection, Selection::Create(query));
  scan::ReadMeter meter(query.limits, clock_);
  RequestRows rows({.parts = parts_, .damage = damage_, .clock = clock_, .deriver = deriver_}, query.filter, meter);
  const bool is_by_arrival = query.order_by == RequestColumn::kArrival;
  const auto may_keep = [&](const RequestRow& row) { return selection.MayKeep(row); };
  const auto may_change = [&](uint64_t first, uint64_t last) {
    return !is_by_arrival || selection.MayChange(Value(ClampedCell(first)), Value(ClampedCell(last)));
  };
  RETURN_IF_ERROR(rows.ForEachWanted({.row = may_keep, .arrivals = may_change}, [&](const RequestRow& row) {
    return selection.Add(row, [&] { return std::make_shared<const RequestRow>(row); });
  }));
  return std::move(selection).Take();
}

StatusOr<AggregateAnswer> ColumnarQueries::GroupRequests(const RowGroupQuery<RequestColumn>& query) const {
  using Groups = scan::RowGroups<RequestColumn>;
  ASSIGN_OR_RETURN(Groups groups, Groups::Create(query));
  if (query.filter.starts.IsEmpty()) return AggregateAnswer{};
  scan::ReadMeter meter(query.limits, clock_);
  RequestRows rows({.parts = parts_, .damage = damage_, .clock = clock_, .deriver = deriver_}, query.filter, meter);
  RETURN_IF_ERROR(rows.ForEach([&](const RequestRow& row) { return groups.Add(row); }));
  return std::move(groups).Take();
}

StatusOr<std::vector<ServiceName>> ColumnarQueries::Services(const NameQuery& query) const {
  scan::ServiceCounts counts(query);
  ServiceSum sum(counts);
  RETURN_IF_ERROR(SumUpSpans(sum, Predicate(), query.starts, query.limits));
  return std::move(counts).Take();
}

StatusOr<std::vector<OperationName>> ColumnarQueries::Operations(const std::string& service,
                                                                 const NameQuery& query) const {
  scan::OperationCounts counts(service, query);
  OperationSum sum(service, counts);
  const Predicate of_service(Condition{.field = Field::Of(Intrinsic::kService), .operand = Value::String(service)});
  RETURN_IF_ERROR(SumUpSpans(sum, of_service, query.starts, query.limits));
  return std::move(counts).Take();
}

StatusOr<std::vector<KeyName>> ColumnarQueries::Keys(const NameQuery& query) const {
  scan::KeyCounts counts(query);
  KeySum sum(counts);
  RETURN_IF_ERROR(SumUpSpans(sum, Predicate(), query.starts, query.limits));
  return std::move(counts).Take();
}

StatusOr<std::vector<FieldValue>> ColumnarQueries::Values(const ValueQuery& query) const {
  RETURN_IF_ERROR(scan::ValidateValueQuery(query));
  scan::ValueCounts counts(query);
  if (query.field.needs_trace() || scan::PredicateMatcher(query.where).needs_trace()) {
    return SumUpTraces(std::move(counts), query.where, query.names.starts, query.names.limits);
  }
  ValueSum sum(query.field, counts);
  RETURN_IF_ERROR(SumUpSpans(sum, query.where, query.names.starts, query.names.limits));
  return std::move(counts).Take();
}

}  // namespace spanloom::store::columnar
