// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/read/trace_walk.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace spanloom::store::columnar {
namespace {

constexpr uint64_t kForEver = std::numeric_limits<uint64_t>::max();

}  // namespace

TraceWalk::TraceWalk(const Parts& parts, const SplitTraces& split, const TimeRange& starts,
                     std::vector<otlp::TraceId> ids, TraceCandidates* candidates)
    : split_(split), candidates_(candidates), starts_(starts), ids_(std::move(ids)), has_ids_(!ids_.empty()) {
  if (has_ids_) return;
  if (parts.full != nullptr) AddHead(*parts.full);
  AddHead(*parts.filling);
  for (const auto& segment : parts.segments) {
    const catalogue::SegmentRow& row = segment->row();
    if (!starts_.Overlaps(row.first_start_unix_ns, row.last_start_unix_ns)) continue;
    queue_.push({.bound = row.last_start_unix_ns, .kind = Kind::kSegment, .segment = segment.get()});
  }
}

void TraceWalk::AddHead(const head::LockedTable& table) {
  const MutexLock lock(table.mutex);
  for (const head::StoredTrace* const trace : table.table.by_arrival()) {
    if (!trace->starts.Overlaps(starts_)) continue;
    AddTrace({.id = trace->id,
              .latest_start_unix_ns = trace->starts.latest,
              .hint = {.segment = nullptr, .place = {}, .head = trace->spans}});
  }
}

void TraceWalk::AddTrace(WalkedTrace trace) {
  const uint64_t bound = trace.latest_start_unix_ns;
  size_t index = traces_.size();
  if (free_.empty()) {
    traces_.push_back(std::move(trace));
  } else {
    index = free_.back();
    free_.pop_back();
    traces_[index] = std::move(trace);
  }
  queue_.push({.bound = bound, .kind = Kind::kTrace, .index = index});
}

Status TraceWalk::OpenSegment(const Segment& segment) {
  if (candidates_ != nullptr) {
    ASSIGN_OR_RETURN(const bool may_have, candidates_->MayHave(segment));
    if (!may_have) return absl::OkStatus();
  }
  const std::vector<TraceChunkRef>& chunks = segment.reader().index().trace_chunks();
  for (size_t i = 0; i < chunks.size(); ++i) {
    const uint64_t bound = std::min(chunks[i].last_start_bound(), segment.row().last_start_unix_ns);
    if (!starts_.Overlaps(chunks[i].first_start_bound(), bound)) continue;
    queue_.push({.bound = bound, .kind = Kind::kChunk, .index = i, .segment = &segment});
  }
  return absl::OkStatus();
}

Status TraceWalk::OpenChunk(const Segment& segment, size_t index) {
  const SegmentReader& reader = segment.reader();
  const StatusOr<std::vector<TracePlace>> places = candidates_ != nullptr
                                                       ? candidates_->InChunk(segment, index)
                                                       : reader.TracesOf(reader.index().trace_chunks()[index]);
  if (!places.ok()) return Annotate(places.status(), segment.row().file);
  for (const TracePlace& place : *places) {
    if (segment.IsGone(place.number) || !starts_.Overlaps(place.start_unix_ns(), place.last_start_unix_ns())) continue;
    AddTrace({.id = place.id(),
              .latest_start_unix_ns = place.last_start_unix_ns(),
              .hint = {.segment = &segment, .place = place, .head = {}}});
  }
  return absl::OkStatus();
}

// A trace that lies in one part only comes once by itself.
bool TraceWalk::IsNew(const otlp::TraceId& id) {
  return !split_.Contains(id) || seen_.insert(id).second;
}

StatusOr<std::optional<WalkedTrace>> TraceWalk::Next() {
  while (!ids_.empty()) {
    const otlp::TraceId id = ids_.back();
    ids_.pop_back();
    if (seen_.insert(id).second) return WalkedTrace{.id = id, .latest_start_unix_ns = kForEver, .hint = {}};
  }
  while (!queue_.empty()) {
    const Item item = queue_.top();
    queue_.pop();
    if (item.kind == Kind::kSegment) {
      RETURN_IF_ERROR(OpenSegment(*item.segment));
    } else if (item.kind == Kind::kChunk) {
      RETURN_IF_ERROR(OpenChunk(*item.segment, item.index));
    } else {
      WalkedTrace trace = std::move(traces_[item.index]);
      free_.push_back(item.index);
      if (IsNew(trace.id)) return trace;
    }
  }
  return std::nullopt;
}

}  // namespace spanloom::store::columnar
