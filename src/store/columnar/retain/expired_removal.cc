// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/retain/expired_removal.h"

#include <algorithm>

namespace spanloom::store::columnar {

ExpiredRemoval::ExpiredRemoval(const Parts& seen, PartsTable& table) : table_(table), now_(table.Now()) {
  const auto is_there = [this](const auto& head) { return head == now_.full || head == now_.filling; };
  heads_[0] = seen.full != nullptr && is_there(seen.full) ? seen.full.get() : nullptr;
  heads_[1] = is_there(seen.filling) ? seen.filling.get() : nullptr;
  FindNewParts(seen);
}

void ExpiredRemoval::FindNewParts(const Parts& seen) {
  for (const auto& segment : seen.segments) {
    const std::optional<size_t> index = now_.segments.IndexOf(segment->row().id);
    segments_.push_back({.now = index ? now_.segments[*index] : nullptr, .traces = {}});
  }
  for (const auto& segment : now_.segments) {
    if (!seen.segments.IndexOf(segment->row().id)) new_segments_.push_back(segment.get());
  }
  for (const auto& head : {now_.full, now_.filling}) {
    if (head != nullptr && head != seen.full && head != seen.filling) new_heads_.push_back(head.get());
  }
}

bool ExpiredRemoval::IsUnchanged(const ExpiredTrace& trace) const {
  // A trace is known as split before it comes to a second part.
  const bool has_new_part = trace.is_split ? HasNewPart(trace.id) : table_.split().Contains(trace.id);
  return !has_new_part &&
         std::ranges::all_of(trace.places, [&](const ExpiredTrace::Place& place) { return IsIn(trace, place); });
}

bool ExpiredRemoval::IsIn(const ExpiredTrace& trace, const ExpiredTrace::Place& place) const {
  if (place.part < segments_.size()) {
    const OfSegment& segment = segments_[place.part];
    return segment.now != nullptr && !segment.now->IsGone(place.trace);
  }
  const head::LockedTable* const head = HeadOf(place);
  if (head == nullptr) return false;
  const MutexLock lock(head->mutex);
  const head::StoredTrace* const stored = head->table.Find(trace.id);
  return stored != nullptr && stored->spans.size() == place.spans;
}

bool ExpiredRemoval::HasNewPart(const otlp::TraceId& id) const {
  for (const Segment* const segment : new_segments_) {
    const StatusOr<std::optional<TracePlace>> place = segment->Find(id);
    if (!place.ok() || *place) return true;  // what can't be read may have it
  }
  return std::ranges::any_of(new_heads_, [&](const head::LockedTable* head) {
    const MutexLock lock(head->mutex);
    return head->table.Find(id) != nullptr;
  });
}

void ExpiredRemoval::Remove(std::span<const ExpiredTrace> traces, int64_t now_ns) {
  for (const ExpiredTrace& trace : traces) {
    if (IsUnchanged(trace)) Take(trace);
  }
  ReplaceSegments(now_ns);
}

void ExpiredRemoval::Take(const ExpiredTrace& trace) {
  ++removed_.traces;
  ids_.push_back(trace.id);
  table_.split().ForgetParts(trace.id);
  for (const ExpiredTrace::Place& place : trace.places) {
    removed_.spans += place.spans;
    if (place.part < segments_.size()) {
      segments_[place.part].traces.push_back(place.trace);
      segments_[place.part].spans += place.spans;
      continue;
    }
    head::LockedTable* const head = HeadOf(place);
    const MutexLock lock(head->mutex);
    const size_t bytes = head->table.bytes();
    head->table.Drop(trace.id, dropped_);
    removed_.bytes += bytes - head->table.bytes();
  }
}

void ExpiredRemoval::ReplaceSegments(int64_t now_ns) {
  for (OfSegment& segment : segments_) {
    if (segment.traces.empty()) continue;
    const bool is_emptied = segment.traces.size() == segment.now->traces_left();
    const auto rest = is_emptied ? nullptr : segment.now->Without(segment.traces, segment.spans, now_ns);
    removed_.bytes += segment.now->bytes_left() - (rest == nullptr ? 0 : rest->bytes_left());
    table_.Replace(*segment.now, rest);
    if (is_emptied) emptied_.push_back(segment.now);
  }
}

}  // namespace spanloom::store::columnar
