// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/merge/segment_exchange.h"

#include <algorithm>
#include <utility>

namespace spanloom::store::columnar {
namespace {

// Ids of the traces that are in `before` and not, or no longer, in `after`, which may be null.
Status AddGone(const Segment& before, const Segment* after, absl::flat_hash_set<otlp::TraceId>& gone) {
  if (&before == after) return absl::OkStatus();
  for (const TraceChunkRef& chunk : before.reader().index().trace_chunks()) {
    ASSIGN_OR_RETURN(const std::vector<TracePlace> places, before.reader().TracesOf(chunk));
    for (const TracePlace& place : places) {
      if (before.IsGone(place.number)) continue;
      if (after == nullptr || after->IsGone(place.number)) gone.insert(place.id());
    }
  }
  return absl::OkStatus();
}

}  // namespace

StatusOr<SegmentExchange::Meanwhile> SegmentExchange::FindMeanwhile(const Replacement& replacement) const {
  const Parts parts = parts_.Now();
  Meanwhile meanwhile;
  for (const auto& source : replacement.sources) {
    const std::optional<size_t> index = parts.segments.IndexOf(source->row().id);
    RETURN_IF_ERROR(AddGone(*source, index ? parts.segments[*index].get() : nullptr, meanwhile.gone));
    if (index) meanwhile.sources.push_back(parts.segments[*index]);
  }
  return meanwhile;
}

Status SegmentExchange::LeaveOut(const absl::flat_hash_set<otlp::TraceId>& gone, Replacement& replacement) {
  std::erase_if(replacement.joined, [&](const JoinedTrace& trace) { return gone.contains(trace.id); });
  if (replacement.written == nullptr) return absl::OkStatus();
  std::vector<uint64_t> numbers;
  uint64_t spans = 0;
  for (const otlp::TraceId& id : gone) {
    ASSIGN_OR_RETURN(const std::optional<TracePlace> place, replacement.written->Find(id));
    if (!place) continue;
    numbers.push_back(place->number);
    spans += place->rows();
  }
  if (numbers.empty()) return absl::OkStatus();
  int64_t shrunk_ns = 0;
  for (const auto& source : replacement.sources) shrunk_ns = std::max(shrunk_ns, source->shrunk_ns().value_or(0));
  replacement.written = replacement.written->Without(numbers, spans, shrunk_ns);
  return absl::OkStatus();
}

StatusOr<catalogue::Change> SegmentExchange::CatchUp(Exchange& exchange) {
  catalogue::Change change;
  for (Replacement& replacement : exchange.replacements) {
    ASSIGN_OR_RETURN(Meanwhile meanwhile, FindMeanwhile(replacement));
    RETURN_IF_ERROR(LeaveOut(meanwhile.gone, replacement));
    const auto sources = std::exchange(replacement.sources, std::move(meanwhile.sources));
    if (replacement.sources.empty()) {  // retention was quicker
      if (replacement.written != nullptr) segments_.RemoveFile(replacement.written->row());
      continue;
    }
    if (replacement.written != nullptr) change.added.push_back({.row = replacement.written->row(), .trace_filter = {}});
    // Also those that retention has taken out of the parts, and could not take out of the catalogue.
    for (const auto& source : sources) {
      if (segments_.IsKnown(source->row().id)) change.removed.push_back(source->row().id);
    }
  }
  std::erase_if(exchange.replacements, [](const Replacement& replacement) { return replacement.sources.empty(); });
  return change;
}

void SegmentExchange::RemoveWritten(const Exchange& exchange) {
  for (const Replacement& replacement : exchange.replacements) {
    if (replacement.written != nullptr) segments_.RemoveFile(replacement.written->row());
  }
}

Status SegmentExchange::Commit(std::unique_ptr<Exchange> exchange) {
  const auto give_up = [&](Status status) {
    RemoveWritten(*exchange);
    return status;
  };
  if (Status settled = Settle(); !settled.ok()) return give_up(std::move(settled));
  const StatusOr<catalogue::Change> change = CatchUp(*exchange);
  if (!change.ok()) return give_up(change.status());
  if (exchange->replacements.empty()) return absl::OkStatus();
  Status committed = segments_.Commit(*change);
  if (!committed.ok() && segments_.is_settled()) return give_up(std::move(committed));
  if (!committed.ok()) {
    unsettled_ = std::move(exchange);
    return committed;
  }
  Finish(*exchange);
  return absl::OkStatus();
}

// All that was written is in the catalogue, or nothing of it. Where nothing was written, the sources tell.
Status SegmentExchange::Settle() {
  RETURN_IF_ERROR(segments_.Settle());
  if (unsettled_ == nullptr) return absl::OkStatus();
  const std::unique_ptr<Exchange> exchange = std::move(unsettled_);
  const Replacement& first = exchange->replacements.front();
  const bool is_done = first.written != nullptr ? segments_.IsKnown(first.written->row().id)
                                                : !segments_.IsKnown(first.sources.front()->row().id);
  if (is_done) {
    Finish(*exchange);
  } else {
    RemoveWritten(*exchange);
  }
  return absl::OkStatus();
}

void SegmentExchange::Finish(const Exchange& exchange) {
  for (const Replacement& replacement : exchange.replacements) {
    parts_.Merge(replacement.sources, replacement.written, replacement.joined);
    for (const auto& source : replacement.sources) segments_.RemoveFile(source->row());
  }
}

}  // namespace spanloom::store::columnar
