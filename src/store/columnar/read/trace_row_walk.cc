// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/read/trace_row_walk.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace spanloom::store::columnar {
namespace {

const PackedSlice& StartsOf(const TraceChunkRef& chunk) {
  return chunk.slots[static_cast<size_t>(TraceSlot::kStart)];
}

}  // namespace

Status TraceRowWalk::AddTo(const RowFilter<TraceColumn>& filter, TraceRowSink& sink) {
  RETURN_IF_ERROR(meter_.Check());
  if (!filter.traces.empty()) {
    for (const otlp::TraceId& id : absl::flat_hash_set<otlp::TraceId>(filter.traces.begin(), filter.traces.end())) {
      RETURN_IF_ERROR(AddById(id, sink));
    }
    return absl::OkStatus();
  }
  for (const auto& table : {parts_.filling, parts_.full}) {
    if (table != nullptr) RETURN_IF_ERROR(AddHead(*table, filter.starts, sink));
  }
  std::vector<const Segment*> newest_first;
  for (const auto& segment : parts_.segments) newest_first.push_back(segment.get());
  std::ranges::sort(newest_first, std::greater(),
                    [](const Segment* segment) { return segment->row().last_start_unix_ns; });
  for (const Segment* const segment : newest_first) RETURN_IF_ERROR(AddSegment(*segment, filter.starts, sink));
  for (const otlp::TraceId& id : in_several_parts_) RETURN_IF_ERROR(AddGathered(id, {}, sink));
  return absl::OkStatus();
}

Status TraceRowWalk::AddById(const otlp::TraceId& id, TraceRowSink& sink) {
  RETURN_IF_ERROR(meter_.Step());
  if (split_.Contains(id)) return AddGathered(id, {}, sink);
  bool is_found = false;
  const Status status = parts_.segments.Find(id, [&](size_t index, const TracePlace& place) {
    is_found = true;
    return sink.Add(TraceRowView{.place = place, .reader = parts_.segments[index]->reader()});
  });
  return is_found || !status.ok() ? Pardon(status) : AddGathered(id, {}, sink);
}

Status TraceRowWalk::AddSegment(const Segment& segment, const TimeRange& starts, TraceRowSink& sink) {
  if (!starts.Overlaps(segment.row().first_start_unix_ns, segment.row().last_start_unix_ns)) return absl::OkStatus();
  const std::vector<TraceChunkRef>& chunks = segment.reader().index().trace_chunks();
  for (auto chunk = chunks.rbegin(); chunk != chunks.rend(); ++chunk) {
    // A trace that lies in several chunks is met in the one where it starts.
    if (!starts.Overlaps(StartsOf(*chunk).base, StartsOf(*chunk).max())) continue;
    if (!sink.MayWant(*chunk, split_.size() == 0)) continue;
    RETURN_IF_ERROR(AddChunk(segment, *chunk, sink));
  }
  return absl::OkStatus();
}

Status TraceRowWalk::AddChunk(const Segment& segment, const TraceChunkRef& chunk, TraceRowSink& sink) {
  const StatusOr<std::vector<TracePlace>> places = segment.reader().TracesOf(chunk);
  if (!places.ok()) return Pardon(Annotate(places.status(), segment.row().file));
  RETURN_IF_ERROR(meter_.Step(places->size()));
  for (const TracePlace& place : *places) {
    if (segment.IsGone(place.number)) continue;
    if (const otlp::TraceId id = place.id(); split_.Contains(id)) {
      in_several_parts_.insert(id);
    } else {
      RETURN_IF_ERROR(sink.Add(TraceRowView{.place = place, .reader = segment.reader()}));
    }
  }
  return absl::OkStatus();
}

Status TraceRowWalk::AddHead(const head::LockedTable& table, const TimeRange& starts, TraceRowSink& sink) {
  std::vector<std::pair<otlp::TraceId, head::TraceSpans>> traces;
  {
    const MutexLock lock(table.mutex);
    for (const head::StoredTrace* const trace : table.table.by_arrival()) {
      if (trace->starts.Overlaps(starts)) traces.emplace_back(trace->id, trace->spans);
    }
  }
  for (const auto& [id, spans] : traces) {
    RETURN_IF_ERROR(meter_.Step());
    if (split_.Contains(id)) {
      in_several_parts_.insert(id);
    } else {
      RETURN_IF_ERROR(AddGathered(id, {.segment = nullptr, .place = {}, .head = spans}, sink));
    }
  }
  return absl::OkStatus();
}

Status TraceRowWalk::AddGathered(const otlp::TraceId& id, const TraceHint& hint, TraceRowSink& sink) {
  const StatusOr<GatheredSpans> spans = gatherer_.Gather(id, hint, meter_);
  RETURN_IF_ERROR(Pardon(spans.status()));
  if (!spans.ok() || *spans == nullptr) return absl::OkStatus();
  RETURN_IF_ERROR(reading_.Read(id, **spans, meter_));
  TraceRow row = reading_.row();
  row.version = gatherer_.version();
  return sink.Add(std::move(row));
}

Status TraceRowWalk::Pardon(const Status& status) {
  if (!absl::IsDataLoss(status)) return status;
  damage_.Add(status);
  return absl::OkStatus();
}

}  // namespace spanloom::store::columnar
