// SPDX-License-Identifier: Apache-2.0

#include "store/span_store.h"

#include <utility>

#include "base/text.h"

namespace spanloom::store {
namespace {

Status NotDeclared(std::string_view call) {
  return absl::UnimplementedError(StrCat("this store does not answer ", call));
}

}  // namespace

void SpanStore::Append(otlp::Batch batch, AppendDone done) {
  auto reservation = Reserve(batch);
  if (!reservation.ok()) return std::move(done)(reservation.status());
  (*reservation)->Commit(std::move(batch), std::move(done));
}

StatusOr<AggregateAnswer> SpanStore::Aggregate(const AggregatePlan&) const {
  return NotDeclared("Aggregate");
}

StatusOr<TailBatch> SpanStore::Tail(const FetchPlan&, std::optional<TailPosition>, size_t) const {
  return NotDeclared("Tail");
}

StatusOr<RowPage<RequestRow>> SpanStore::Requests(const RowQuery<RequestColumn>&) const {
  return NotDeclared("Requests");
}

StatusOr<AggregateAnswer> SpanStore::GroupRequests(const RowGroupQuery<RequestColumn>&) const {
  return NotDeclared("GroupRequests");
}

StatusOr<Removed> SpanStore::Purge(const PurgePlan&) {
  return NotDeclared("Purge");
}

StatusOr<std::vector<Trace>> FetchTraces(const SpanStore& store, FetchPlan plan) {
  plan.rows = FetchPlan::Rows::kWholeTrace;
  plan.wants_messages = true;
  const size_t bytes_max = plan.limits.bytes_max;
  ASSIGN_OR_RETURN(const std::unique_ptr<SpanCursor> cursor, store.Fetch(std::move(plan)));
  std::vector<Trace> traces;
  size_t bytes = 0;
  while (true) {
    ASSIGN_OR_RETURN(std::optional<SpanBatch> batch, cursor->Next());
    if (!batch) return traces;
    for (const TraceRows& rows : batch->traces) {
      Trace& trace = traces.emplace_back(Trace{.id = rows.position.id, .spans = {}});
      trace.spans.reserve(rows.row_count);
      for (uint32_t i = 0; i < rows.row_count; ++i) {
        trace.spans.push_back(std::move(batch->messages[rows.first_row + i]));
        bytes += sizeof(StoredSpan) + trace.spans.back().wire.size();
      }
    }
    if (bytes > bytes_max) {
      return absl::ResourceExhaustedError(
          StrCat("the answer exceeds ", bytes_max, " bytes after ", traces.size(), " traces; ask for fewer"));
    }
  }
}

}  // namespace spanloom::store
