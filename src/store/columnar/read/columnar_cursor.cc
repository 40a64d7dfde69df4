// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/read/columnar_cursor.h"

#include <algorithm>
#include <utility>

namespace spanloom::store::columnar {

ColumnarCursor::ColumnarCursor(FetchPlan plan, const PartsTable& table, DamageCounter& damage, const Clock& clock)
    : plan_(std::move(plan)),
      meter_(plan_.limits, clock),
      selector_(plan_),
      candidates_(plan_.spansets, plan_.join, table.split(), meter_),
      traces_(table, damage, plan_.starts, plan_.traces, selector_.matches_everything() ? nullptr : &candidates_,
              meter_),
      builder_(plan_),
      found_(plan_.traces_max, plan_.after),
      traces_left_(plan_.traces_max) {}

FetchStats ColumnarCursor::stats() const {
  FetchStats stats = meter_.stats();
  stats.damaged_parts = traces_.damaged_parts();
  return stats;
}

StatusOr<std::optional<SpanBatch>> ColumnarCursor::Next() {
  RETURN_IF_ERROR(meter_.Check());
  return plan_.order == FetchPlan::Order::kAsStored ? NextAsStored() : NextFound();
}

StatusOr<std::optional<uint64_t>> ColumnarCursor::LatestMatch(const WalkedTrace& trace, GatheredSpans& spans) {
  ASSIGN_OR_RETURN(spans, traces_.SpansOf(trace));
  if (spans == nullptr) return std::nullopt;
  RETURN_IF_ERROR(reading_.Read(trace.id, *spans, meter_));
  return selector_.LatestMatch(reading_, meter_);
}

StatusOr<std::optional<SpanBatch>> ColumnarCursor::NextAsStored() {
  while (traces_left_ > 0) {
    ASSIGN_OR_RETURN(const std::optional<WalkedTrace> trace, traces_.Next());
    if (!trace) break;
    GatheredSpans spans;
    ASSIGN_OR_RETURN(const std::optional<uint64_t> latest, LatestMatch(*trace, spans));
    if (!latest) continue;
    --traces_left_;
    const FetchPosition position = {.latest_start_unix_ns = *latest, .id = trace->id};
    ASSIGN_OR_RETURN(std::optional<SpanBatch> batch, builder_.Add(reading_, position, selector_, spans, meter_));
    if (batch) return batch;
  }
  return builder_.Finish();
}

StatusOr<std::optional<SpanBatch>> ColumnarCursor::NextFound() {
  if (!std::exchange(is_selected_, true)) RETURN_IF_ERROR(Select());
  while (const auto found = found_.TakeFirst()) {
    const FetchPosition& position = found->first;
    GatheredSpans spans = found->second.spans;
    if (spans == nullptr) {
      ASSIGN_OR_RETURN(spans, traces_.SpansOf({.id = position.id, .hint = {}}));
      if (spans == nullptr) continue;  // it was removed meanwhile
    }
    RETURN_IF_ERROR(reading_.Read(position.id, *spans, meter_));
    ASSIGN_OR_RETURN(std::optional<SpanBatch> batch, builder_.Add(reading_, position, selector_, spans, meter_));
    if (batch) return batch;
  }
  return builder_.Finish();
}

Status ColumnarCursor::Select() {
  while (true) {
    ASSIGN_OR_RETURN(const std::optional<WalkedTrace> trace, traces_.Next());
    if (!trace || found_.IsCompleteAt(trace->latest_start_unix_ns)) return absl::OkStatus();
    GatheredSpans spans;
    ASSIGN_OR_RETURN(const std::optional<uint64_t> latest, LatestMatch(*trace, spans));
    if (latest) Keep({.latest_start_unix_ns = *latest, .id = trace->id}, std::move(spans));
  }
}

void ColumnarCursor::Keep(const FetchPosition& position, GatheredSpans spans) {
  FoundSpans found = {.spans = std::move(spans)};
  for (const StoredSpan& span : *found.spans) found.bytes += sizeof(span) + span.wire.size();
  if (found_bytes_ + found.bytes > plan_.limits.bytes_max) found = {};
  found_bytes_ += found.bytes;
  if (const auto left = found_.Add(position, std::move(found))) found_bytes_ -= left->bytes;
}

}  // namespace spanloom::store::columnar
