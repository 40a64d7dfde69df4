// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/read/purge_finder.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

namespace spanloom::store::columnar {

PurgeFinder::PurgeFinder(const PurgePlan& plan, const Parts& parts, const SplitTraces& split, scan::ReadMeter& meter)
    : plan_(plan),
      parts_(parts),
      split_(split),
      meter_(meter),
      where_(plan.where),
      candidates_({&plan.where, 1}, FetchPlan::Join::kAny, split, meter),
      gatherer_(parts, split) {}

StatusOr<PurgedTraces> PurgeFinder::FindIn(size_t segment) {
  const Segment& of = *parts_.segments[segment];
  PurgedTraces found;
  if (!plan_.starts.Overlaps(of.row().first_start_unix_ns, of.row().last_start_unix_ns)) return found;
  if (!plan_.traces.empty()) {
    RETURN_IF_ERROR(AddIds(segment, found));
    return found;
  }
  ASSIGN_OR_RETURN(const bool may_have, candidates_.MayHave(of));
  if (!may_have) return found;
  for (size_t chunk = 0; chunk < of.reader().index().trace_chunks().size(); ++chunk) {
    ASSIGN_OR_RETURN(const std::vector<TracePlace> places, PlacesIn(of, chunk));
    for (const TracePlace& place : places) RETURN_IF_ERROR(AddTrace(segment, place, found));
  }
  return found;
}

StatusOr<std::vector<TracePlace>> PurgeFinder::PlacesIn(const Segment& segment, size_t chunk) {
  if (!where_.matches_everything()) return candidates_.InChunk(segment, chunk);
  return segment.reader().TracesOf(segment.reader().index().trace_chunks()[chunk]);
}

Status PurgeFinder::AddIds(size_t segment, PurgedTraces& found) {
  for (const otlp::TraceId& id : plan_.traces) {
    ASSIGN_OR_RETURN(const std::optional<TracePlace> place, parts_.segments[segment]->Find(id));
    if (place && !found.traces.contains(place->number)) RETURN_IF_ERROR(AddTrace(segment, *place, found));
  }
  return absl::OkStatus();
}

Status PurgeFinder::AddTrace(size_t segment, const TracePlace& place, PurgedTraces& found) {
  if (parts_.segments[segment]->IsGone(place.number)) return absl::OkStatus();
  const uint64_t first = place.start_unix_ns();
  const uint64_t last = place.last_start_unix_ns();
  if (!plan_.starts.Overlaps(first, last)) return absl::OkStatus();
  if (where_.matches_everything() && plan_.starts.Contains(first) && plan_.starts.Contains(last)) {
    AddWhole(place, found);
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const uint64_t before, Read(segment, place));
  PurgedTrace trace = {.id = place.id(), .rows = {}, .first_start_unix_ns = std::numeric_limits<uint64_t>::max()};
  for (size_t ordinal = 0; ordinal < reading_.size(); ++ordinal) {
    const uint64_t row = reading_.arrival(ordinal) - before;  // of another part: not below its rows
    if (row >= place.rows()) continue;
    const uint64_t start = reading_.start_unix_ns(ordinal);
    if (plan_.starts.Contains(start) && where_.Matches(reading_, ordinal)) {
      trace.rows.push_back(static_cast<uint32_t>(row));
    } else {
      trace.first_start_unix_ns = std::min(trace.first_start_unix_ns, start);
    }
  }
  if (trace.rows.empty()) return absl::OkStatus();
  std::ranges::sort(trace.rows);
  trace.is_whole = trace.rows.size() == place.rows();
  found.spans += trace.rows.size();
  found.traces.emplace(place.number, std::move(trace));
  return absl::OkStatus();
}

void PurgeFinder::AddWhole(const TracePlace& place, PurgedTraces& found) {
  PurgedTrace trace = {.id = place.id(), .rows = {}, .is_whole = true};
  trace.rows.resize(place.rows());
  std::iota(trace.rows.begin(), trace.rows.end(), 0);
  found.spans += trace.rows.size();
  found.traces.emplace(place.number, std::move(trace));
}

// Spans are gathered part by part, segments first.
StatusOr<uint64_t> PurgeFinder::Read(size_t segment, const TracePlace& place) {
  const Segment& of = *parts_.segments[segment];
  const otlp::TraceId id = place.id();
  if (!where_.needs_trace() || !split_.Contains(id)) {
    ASSIGN_OR_RETURN(std::vector<StoredSpan> spans, of.reader().ReadSpans(place, meter_.limits().bytes_max));
    spans_ = std::make_shared<const std::vector<StoredSpan>>(std::move(spans));
    RETURN_IF_ERROR(reading_.Read(id, *spans_, meter_));
    return 0;
  }
  uint64_t before = 0;
  RETURN_IF_ERROR(parts_.segments.Find(id, [&](size_t index, const TracePlace& other) {
    if (index < segment) before += other.rows();
    return absl::OkStatus();
  }));
  ASSIGN_OR_RETURN(spans_, gatherer_.Gather(id, {}, meter_));
  RETURN_IF_ERROR(reading_.Read(id, *spans_, meter_));
  return before;
}

}  // namespace spanloom::store::columnar
