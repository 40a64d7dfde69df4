// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/columnar_cursor.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace spanloom::store::columnar {

ColumnarCursor::ColumnarCursor(FetchPlan plan, const PartsTable& table, DamageCounter& damage, const Clock& clock)
    : plan_(std::move(plan)),
      parts_(table.Now()),
      split_(table.split()),
      damage_(damage),
      meter_(plan_.limits, clock),
      selector_(plan_),
      walk_(parts_, split_, plan_.starts, plan_.traces),
      gatherer_(parts_, split_),
      builder_(plan_),
      traces_left_(plan_.traces_max) {}

FetchStats ColumnarCursor::stats() const {
  FetchStats stats = meter_.stats();
  stats.damaged_parts = damaged_parts_;
  return stats;
}

StatusOr<std::optional<SpanBatch>> ColumnarCursor::Next() {
  RETURN_IF_ERROR(meter_.Check());
  return plan_.order == FetchPlan::Order::kAsStored ? NextAsStored() : NextFound();
}

StatusOr<std::optional<WalkedTrace>> ColumnarCursor::NextTrace() {
  while (true) {
    StatusOr<std::optional<WalkedTrace>> trace = walk_.Next();
    if (trace.ok()) return trace;
    if (!absl::IsDataLoss(trace.status())) return trace.status();
    ++damaged_parts_;
    damage_.Add(trace.status());
  }
}

// A trace in one segment only is known by its services without its spans.
bool ColumnarCursor::MayMatch(const WalkedTrace& trace) const {
  const std::vector<std::string>& services = selector_.services();
  if (services.empty() || trace.hint.segment == nullptr || split_.Contains(trace.id)) return true;
  const SegmentIndex& index = trace.hint.segment->reader().index();
  const TraceSummary& summary = index.summaries()[trace.hint.place.entry[TraceSlot::kSummary]];
  const auto has = [&](const std::string& service) {
    return std::ranges::any_of(summary.services, [&](const auto& other) { return other.name == service; });
  };
  return plan_.join == FetchPlan::Join::kAll ? std::ranges::all_of(services, has) : std::ranges::any_of(services, has);
}

StatusOr<bool> ColumnarCursor::Read(const WalkedTrace& trace, GatheredSpans& spans) {
  const bool has_hint = trace.hint.segment != nullptr || trace.hint.head != nullptr;
  StatusOr<std::optional<GatheredSpans>> gathered =
      gatherer_.Gather(trace.id, has_hint ? &trace.hint : nullptr, meter_);
  if (absl::IsDataLoss(gathered.status())) {
    ++damaged_parts_;
    damage_.Add(gathered.status());
    return false;
  }
  if (!gathered.ok()) return gathered.status();
  if (!gathered->has_value()) return false;
  spans = **std::move(gathered);
  RETURN_IF_ERROR(reading_.Read(trace.id, *spans, meter_));
  return true;
}

StatusOr<std::optional<SpanBatch>> ColumnarCursor::NextAsStored() {
  while (traces_left_ > 0) {
    ASSIGN_OR_RETURN(const std::optional<WalkedTrace> trace, NextTrace());
    if (!trace) break;
    RETURN_IF_ERROR(meter_.Step());
    if (!MayMatch(*trace)) continue;
    GatheredSpans spans;
    ASSIGN_OR_RETURN(const bool is_there, Read(*trace, spans));
    if (!is_there) continue;
    ASSIGN_OR_RETURN(const std::optional<uint64_t> latest, selector_.LatestMatch(reading_, meter_));
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
  while (!found_.empty()) {
    const auto first = found_.begin();
    const FetchPosition position = first->first;
    const GatheredSpans spans = std::move(first->second);
    found_.erase(first);
    RETURN_IF_ERROR(reading_.Read(position.id, *spans, meter_));
    ASSIGN_OR_RETURN(std::optional<SpanBatch> batch, builder_.Add(reading_, position, selector_, spans, meter_));
    if (batch) return batch;
  }
  return builder_.Finish();
}

Status ColumnarCursor::Select() {
  while (true) {
    ASSIGN_OR_RETURN(const std::optional<WalkedTrace> trace, NextTrace());
    if (!trace || IsCompleteAt(trace->latest_start_unix_ns)) return absl::OkStatus();
    RETURN_IF_ERROR(meter_.Step());
    if (MayMatch(*trace)) RETURN_IF_ERROR(Consider(*trace));
  }
}

Status ColumnarCursor::Consider(const WalkedTrace& trace) {
  GatheredSpans spans;
  ASSIGN_OR_RETURN(const bool is_there, Read(trace, spans));
  if (!is_there) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::optional<uint64_t> latest, selector_.LatestMatch(reading_, meter_));
  if (!latest) return absl::OkStatus();
  const FetchPosition position = {.latest_start_unix_ns = *latest, .id = trace.id};
  if (plan_.after && !(*plan_.after < position)) return absl::OkStatus();
  found_.emplace(position, std::move(spans));
  if (found_.size() > plan_.traces_max) found_.erase(std::prev(found_.end()));
  return absl::OkStatus();
}

// True if no trace whose spans start at that time or earlier can become part of the answer.
bool ColumnarCursor::IsCompleteAt(uint64_t latest_start_unix_ns) const {
  if (plan_.traces_max == 0) return true;
  return found_.size() >= plan_.traces_max &&
         std::prev(found_.end())->first.latest_start_unix_ns > latest_start_unix_ns;
}

}  // namespace spanloom::store::columnar
