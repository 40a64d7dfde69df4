// SPDX-License-Identifier: Apache-2.0
//
// Answers every question of the store contract from the parts of a store as they are when it is asked.

#pragma once

#include <absl/functional/function_ref.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "store/columnar/parts/damage_counter.h"
#include "store/columnar/parts/parts_table.h"
#include "store/columnar/sums/column_sum.h"
#include "store/span_store.h"

namespace spanloom::store::columnar {

// Thread-safe. All that it is given must outlive it. The calls are those of SpanStore, on the caller's thread; parts
// that are damaged are counted and left out.
class ColumnarQueries {
 public:
  // Without a deriver there are no requests, and they must not be asked for.
  ColumnarQueries(const PartsTable& parts, DamageCounter& damage, const Clock& clock, RequestDeriver deriver = {})
      : parts_(parts), damage_(damage), clock_(clock), deriver_(std::move(deriver)) {}

  [[nodiscard]] StatusOr<Trace> GetTrace(const otlp::TraceId& id, const TimeRange& starts,
                                         const ReadLimits& limits) const;
  [[nodiscard]] StatusOr<std::unique_ptr<SpanCursor>> Fetch(FetchPlan plan) const;
  [[nodiscard]] StatusOr<AggregateAnswer> Aggregate(const AggregatePlan& plan) const;
  [[nodiscard]] StatusOr<RowPage<TraceRow>> Traces(const RowQuery<TraceColumn>& query) const;
  [[nodiscard]] StatusOr<AggregateAnswer> GroupTraces(const RowGroupQuery<TraceColumn>& query) const;
  [[nodiscard]] StatusOr<RowPage<RequestRow>> Requests(const RowQuery<RequestColumn>& query) const;
  [[nodiscard]] StatusOr<AggregateAnswer> GroupRequests(const RowGroupQuery<RequestColumn>& query) const;
  [[nodiscard]] StatusOr<std::vector<ServiceName>> Services(const NameQuery& query) const;
  [[nodiscard]] StatusOr<std::vector<OperationName>> Operations(const std::string& service,
                                                                const NameQuery& query) const;
  [[nodiscard]] StatusOr<std::vector<KeyName>> Keys(const NameQuery& query) const;
  [[nodiscard]] StatusOr<std::vector<FieldValue>> Values(const ValueQuery& query) const;

 private:
  // Adds every span that starts within `starts` and meets `where`, which is not about traces.
  Status SumUpSpans(ColumnSum& sum, const Predicate& where, const TimeRange& starts, const ReadLimits& limits) const;
  // Adds every trace that may have such spans to `sums`, each once, with all its spans.
  template <typename Sums>
  auto SumUpTraces(Sums sums, const Predicate& where, const TimeRange& starts, const ReadLimits& limits) const
      -> StatusOr<decltype(std::move(sums).Take())>;

  const PartsTable& parts_;
  DamageCounter& damage_;
  const Clock& clock_;
  const RequestDeriver deriver_;
};

}  // namespace spanloom::store::columnar
