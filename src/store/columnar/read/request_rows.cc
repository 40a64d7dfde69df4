// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/read/request_rows.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <ranges>
#include <utility>

#include "base/text.h"
#include "store/columnar/segment/span_reader.h"

namespace spanloom::store::columnar {
namespace {

// Where the spans of a request that arrives within `arrivals` start.
TimeRange Widened(const TimeRange& arrivals) {
  constexpr uint64_t kSlackNs = RequestDeriver::kArrivalSlackNs;
  if (arrivals.IsEmpty()) return arrivals;
  TimeRange starts = arrivals;
  starts.begin_unix_ns -= std::min(starts.begin_unix_ns, kSlackNs);
  starts.end_unix_ns += std::min(TimeRange::kForEver - starts.end_unix_ns, kSlackNs);
  return starts;
}

// The chunk that has a trace, by its number.
std::vector<RequestChunkRef>::const_iterator ChunkWith(const RequestFile& requests, uint64_t trace) {
  return std::ranges::partition_point(requests.index().chunks, [trace](const RequestChunkRef& chunk) {
    return chunk.first_trace + chunk.traces <= trace;
  });
}

}  // namespace

RequestRows::RequestRows(const Of& of, const RowFilter<RequestColumn>& filter, scan::ReadMeter& meter)
    : of_(of),
      filter_(filter),
      meter_(meter),
      starts_(Widened(filter.starts)),
      now_unix_ns_(static_cast<uint64_t>(of.clock.UnixNs())),
      parts_(of.parts.Now()),
      gatherer_(parts_, of.parts.split()) {}

Status RequestRows::ForEachWanted(const Wants& wants, Visit visit) {
  wants_ = &wants;
  return ForEach(visit);
}

// Newest first, about: who wants the newest then keeps few.
Status RequestRows::ForEach(Visit visit) {
  RETURN_IF_ERROR(meter_.Check());
  if (!filter_.traces.empty()) return VisitIds(visit);
  std::vector<HeadTrace> traces;
  if (parts_.full != nullptr) AddHead(*parts_.full, traces);
  AddHead(*parts_.filling, traces);
  split_ = of_.parts.split().Ids();
  RETURN_IF_ERROR(VisitHeads(traces, visit));
  for (const auto& segment : std::views::reverse(parts_.segments)) {
    const catalogue::SegmentRow& row = segment->row();
    if (!starts_.Overlaps(row.first_start_unix_ns, row.last_start_unix_ns)) continue;
    RETURN_IF_ERROR(VisitSegment(*segment, visit));
  }
  return absl::OkStatus();
}

void RequestRows::AddHead(const head::LockedTable& table, std::vector<HeadTrace>& traces) const {
  const MutexLock lock(table.mutex);
  for (const head::StoredTrace* const trace : table.table.by_arrival()) {
    if (trace->starts.Overlaps(starts_)) traces.push_back({.id = trace->id, .spans = trace->spans});
  }
}

Status RequestRows::VisitIds(Visit visit) {
  for (const otlp::TraceId& id : filter_.traces) {
    if (seen_.insert(id).second) RETURN_IF_ERROR(Derive(id, {}, visit));
  }
  return absl::OkStatus();
}

Status RequestRows::VisitHeads(const std::vector<HeadTrace>& traces, Visit visit) {
  for (const HeadTrace& trace : traces) {
    if (split_.contains(trace.id) && !seen_.insert(trace.id).second) continue;
    RETURN_IF_ERROR(Derive(trace.id, {.segment = nullptr, .place = {}, .head = trace.spans}, visit));
  }
  return absl::OkStatus();
}

Status RequestRows::VisitSegment(const Segment& segment, Visit visit) {
  blocks_.emplace(segment.reader().MakeBlocks());
  for (const TraceChunkRef& chunk : std::views::reverse(segment.reader().index().trace_chunks())) {
    const uint64_t bound = std::min(chunk.last_start_bound(), segment.row().last_start_unix_ns);
    if (!starts_.Overlaps(chunk.first_start_bound(), bound)) continue;
    RETURN_IF_ERROR(VisitChunk(segment, chunk, visit));
  }
  return absl::OkStatus();
}

Status RequestRows::VisitChunk(const Segment& segment, const TraceChunkRef& chunk, Visit visit) {
  const auto& chunks = segment.reader().index().trace_chunks();
  const auto first = static_cast<uint64_t>(&chunk - chunks.data()) * kChunkTraces;
  if (!MayHave(segment, first, first + chunk.traces)) return absl::OkStatus();
  const StatusOr<std::vector<TracePlace>> places = segment.reader().TracesOf(chunk);
  if (absl::IsDataLoss(places.status())) {
    of_.damage.Add(StrCat(segment.row().file, ": ", places.status().message()));
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(places.status());
  Stretch stretch = {.first_trace = std::numeric_limits<uint64_t>::max()};
  for (const TracePlace& place : std::views::reverse(*places)) {
    if (place.number < stretch.first_trace) {
      ASSIGN_OR_RETURN(stretch, StretchWith(segment, place.number, first));
    }
    if (segment.IsGone(place.number) || !starts_.Overlaps(place.start_unix_ns(), place.last_start_unix_ns())) continue;
    RETURN_IF_ERROR(VisitTrace(segment, place, stretch, visit));
  }
  return absl::OkStatus();
}

// A trace that lies in several parts has rows that do not count, so its place has to be looked up.
bool RequestRows::MayHave(const Segment& segment, uint64_t first_trace, uint64_t end_trace) const {
  const RequestFile* const requests = segment.requests();
  if (requests == nullptr || !split_.empty()) return true;
  for (auto chunk = ChunkWith(*requests, first_trace);
       chunk != requests->index().chunks.end() && chunk->first_trace < end_trace; ++chunk) {
    if (chunk->uncovered > 0 || (chunk->rows > 0 && !IsElsewhere(*chunk))) return true;
  }
  return false;
}

bool RequestRows::IsElsewhere(const RequestChunkRef& chunk) const {
  const uint64_t first = chunk.first_arrival_unix_ns;
  const uint64_t last = chunk.last_arrival_unix_ns;
  return !filter_.starts.Overlaps(first, last) || (wants_ != nullptr && !wants_->arrivals(first, last));
}

StatusOr<RequestRows::Stretch> RequestRows::StretchWith(const Segment& segment, uint64_t trace, uint64_t first_trace) {
  const RequestFile* const requests = segment.requests();
  if (requests == nullptr) return Stretch{.first_trace = first_trace};
  const RequestChunkRef& chunk = *ChunkWith(*requests, trace);
  Stretch stretch = {.first_trace = chunk.first_trace};
  StatusOr<RequestChunk> rows = requests->ReadChunk(chunk);
  if (absl::IsDataLoss(rows.status())) {
    if (requests->NoteDamage()) {
      of_.damage.Add(StrCat(segment.row().file, ": ", rows.status().message(), "; they are derived again"));
    }
    return stretch;
  }
  RETURN_IF_ERROR(rows.status());
  stretch.rows = *std::move(rows);
  stretch.is_elsewhere = IsElsewhere(chunk);
  return stretch;
}

Status RequestRows::VisitTrace(const Segment& segment, const TracePlace& place, const Stretch& stretch, Visit visit) {
  RETURN_IF_ERROR(meter_.Step());
  const auto derive = [&] { return Derive(place.id(), {.segment = &segment, .place = place, .head = {}}, visit); };
  if (!split_.empty() && split_.contains(place.id())) {
    return seen_.insert(place.id()).second ? derive() : absl::OkStatus();
  }
  const auto trace = static_cast<size_t>(place.number - stretch.first_trace);
  if (!stretch.rows || !stretch.rows->IsCovered(trace)) return derive();
  return stretch.is_elsewhere ? absl::OkStatus() : VisitRows(place, *stretch.rows, trace, visit);
}

Status RequestRows::VisitRows(const TracePlace& place, const RequestChunk& rows, size_t trace, Visit visit) {
  const auto [begin, end] = rows.RowsOf(trace);
  for (uint32_t row = begin; row < end; ++row) {
    rows.Fill(row, place, row_);
    row_.anatomy_version = of_.deriver.version;
    if (row > begin) RETURN_IF_ERROR(meter_.Step());
    if (wants_ != nullptr) {
      if (!wants_->row(row_)) continue;
      if (const std::optional<uint64_t> of_trace = rows.PlaceOf(row)) {
        ASSIGN_OR_RETURN(const bool is_read, SetSpanId(place, *of_trace));
        if (!is_read) continue;
      }
    }
    RETURN_IF_ERROR(visit(row_));
  }
  return absl::OkStatus();
}

StatusOr<bool> RequestRows::SetSpanId(const TracePlace& place, uint64_t row) {
  StatusOr<uint64_t> id = absl::DataLossError("a request of a span that its trace does not have");
  if (row < place.rows()) id = SpanReader(place, *blocks_).SpanIdAt(row);
  if (absl::IsDataLoss(id.status())) {
    of_.damage.Add(id.status());
    return false;
  }
  RETURN_IF_ERROR(id.status());
  std::memcpy(row_.key.span_id.bytes.data(), &*id, sizeof(*id));
  return true;
}

Status RequestRows::Derive(const otlp::TraceId& id, const TraceHint& hint, Visit visit) {
  const StatusOr<GatheredSpans> spans = gatherer_.Gather(id, hint, meter_);
  if (absl::IsDataLoss(spans.status())) {
    of_.damage.Add(spans.status());
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(spans.status());
  if (*spans == nullptr) return absl::OkStatus();
  RETURN_IF_ERROR(meter_.Step((*spans)->size()));
  Trace trace = {.id = id, .spans = **spans};
  std::ranges::stable_sort(trace.spans, {}, [](const StoredSpan& span) { return span.span().start_unix_ns(); });
  for (RequestRow& row : of_.deriver.derive(trace, now_unix_ns_)) {
    row.anatomy_version = of_.deriver.version;
    RETURN_IF_ERROR(visit(row));
  }
  return absl::OkStatus();
}

}  // namespace spanloom::store::columnar
