// SPDX-License-Identifier: Apache-2.0

#include "store/memory/memory_cursor.h"

#include <utility>

namespace spanloom::store::memory {
namespace {

// What keeps the spans of an answer alive.
std::shared_ptr<const void> PinOf(const head::TraceSpans& spans) {
  return std::make_shared<const head::TraceSpans>(spans);
}

}  // namespace

MemoryCursor::MemoryCursor(FetchPlan plan, const head::LockedTable& table, const Clock& clock)
    : plan_(std::move(plan)),
      meter_(plan_.limits, clock),
      selector_(plan_),
      candidates_(table, QueryOf(), plan_.traces),
      builder_(plan_),
      found_(plan_.traces_max, plan_.after),
      traces_left_(plan_.traces_max) {
  // Where a trace's place follows from its starts, the pages before this one need not be looked at again.
  const bool is_place_known = plan_.starts.end_unix_ns == TimeRange::kForEver && selector_.matches_everything();
  if (plan_.after && is_place_known) candidates_.StartAfter(*plan_.after);
}

head::CandidateQuery MemoryCursor::QueryOf() const {
  return {.starts = plan_.starts,
          .services = selector_.services(),
          .needs_all_services = plan_.join == FetchPlan::Join::kAll,
          .only_service = selector_.only_service()};
}

StatusOr<std::optional<SpanBatch>> MemoryCursor::Next() {
  RETURN_IF_ERROR(meter_.Check());
  return plan_.order == FetchPlan::Order::kAsStored ? NextAsStored() : NextFound();
}

StatusOr<std::optional<SpanBatch>> MemoryCursor::NextAsStored() {
  while (traces_left_ > 0) {
    const std::optional<head::Candidate> candidate = candidates_.Next();
    if (!candidate) break;
    RETURN_IF_ERROR(ReadTrace(*candidate, reading_, meter_));
    ASSIGN_OR_RETURN(const std::optional<uint64_t> latest, selector_.LatestMatch(reading_, meter_));
    if (!latest) continue;
    --traces_left_;
    const FetchPosition position = {.latest_start_unix_ns = *latest, .id = candidate->id};
    ASSIGN_OR_RETURN(std::optional<SpanBatch> batch,
                     builder_.Add(reading_, position, selector_, PinOf(candidate->spans), meter_));
    if (batch) return batch;
  }
  return builder_.Finish();
}

StatusOr<std::optional<SpanBatch>> MemoryCursor::NextFound() {
  if (!std::exchange(is_selected_, true)) RETURN_IF_ERROR(Select());
  while (const auto found = found_.TakeFirst()) {
    const auto& [position, spans] = *found;
    RETURN_IF_ERROR(head::ReadTrace({.id = position.id, .spans = spans}, reading_, meter_));
    ASSIGN_OR_RETURN(std::optional<SpanBatch> batch, builder_.Add(reading_, position, selector_, PinOf(spans), meter_));
    if (batch) return batch;
  }
  return builder_.Finish();
}

Status MemoryCursor::Select() {
  while (const std::optional<head::Candidate> candidate = candidates_.Next()) {
    if (found_.IsCompleteAt(candidate->latest_start_unix_ns)) {
      candidates_.SkipToChanged();
      continue;
    }
    RETURN_IF_ERROR(Consider(*candidate));
  }
  return absl::OkStatus();
}

Status MemoryCursor::Consider(const head::Candidate& candidate) {
  RETURN_IF_ERROR(ReadTrace(candidate, reading_, meter_));
  ASSIGN_OR_RETURN(const std::optional<uint64_t> latest, selector_.LatestMatch(reading_, meter_));
  if (!latest) return absl::OkStatus();
  found_.Add({.latest_start_unix_ns = *latest, .id = candidate.id}, candidate.spans);
  return absl::OkStatus();
}

}  // namespace spanloom::store::memory
