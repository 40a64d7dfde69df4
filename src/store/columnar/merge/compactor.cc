// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/merge/compactor.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/log.h"
#include "base/text.h"

namespace spanloom::store::columnar {
namespace {

uint64_t BytesASpan(const catalogue::SegmentRow& row) {
  return row.bytes / std::max<uint64_t>(row.spans, 1);
}

// What retention is taking away piece by piece will be gone soon, and would be written again for nothing.
bool IsShrinking(const Segment& segment, int64_t now_ns) {
  constexpr std::chrono::seconds kPause{60};  // several looks of retention without a trace; guess
  return segment.shrunk_ns() && now_ns - *segment.shrunk_ns() < std::chrono::nanoseconds(kPause).count();
}

Status Stopped() {
  return absl::CancelledError("the store stops");
}

// Holds who reads a large trace to the pace. It is read twice, and written once.
class PacedSpans final : public SpanSource {
 public:
  PacedSpans(std::unique_ptr<SpanSource> spans, uint64_t bytes_a_span, Pace& pace)
      : spans_(std::move(spans)), bytes_a_span_(bytes_a_span), pace_(pace) {}

  void Rewind() override { spans_->Rewind(); }
  StatusOr<std::vector<StoredSpan>> Next() override {
    StatusOr<std::vector<StoredSpan>> spans = spans_->Next();
    if (spans.ok() && !pace_.Spend(spans->size() * bytes_a_span_)) return Stopped();
    return spans;
  }

 private:
  const std::unique_ptr<SpanSource> spans_;
  const uint64_t bytes_a_span_;
  Pace& pace_;
};

}  // namespace

MergeCandidate CandidateOf(const Segment& segment, int64_t now_ns) {
  const catalogue::SegmentRow& row = segment.row();
  return {.spans = segment.spans_left(),
          .spans_gone = row.spans - segment.spans_left(),
          .bytes = row.bytes,
          .is_fixed = IsShrinking(segment, now_ns)};
}

Compactor::Compactor(const CompactorOptions& options, SegmentDirectory& segments, PartsTable& parts,
                     SegmentExchange& exchange, MetricRegistry& metrics, const Clock& clock,
                     RunInBackground run_in_background)
    : options_(options),
      segments_(segments),
      parts_(parts),
      exchange_(exchange),
      metrics_(metrics),
      clock_(clock),
      run_in_background_(std::move(run_in_background)),
      pace_(options.bytes_per_second, clock),
      merges_(metrics, {.count = "spanloom_store_merges",
                        .count_help = "Times that several segments became one.",
                        .seconds = "spanloom_store_merge_seconds",
                        .seconds_help = "Time spent merging segments since the start, waits for its rate included."}),
      bytes_read_(metrics.GetCounter("spanloom_store_merge_bytes",
                                     "Bytes of segments that merges have read or written.", {{"direction", "read"}})),
      bytes_written_(metrics.GetCounter("spanloom_store_merge_bytes",
                                        "Bytes of segments that merges have read or written.",
                                        {{"direction", "written"}})) {}

void Compactor::CountFailure(std::string_view cause, const Status& status) {
  metrics_
      .GetCounter("spanloom_store_failed_merges", "Merges of segments that failed; all stays as it was.",
                  {{"cause", std::string(cause)}})
      .Add(1);
  Log(LogLevel::kWarn, "segments could not be merged; all stays as it was",
      {{"cause", cause}, {"why", status.message()}});
}

StatusOr<bool> Compactor::MergeOnce() {
  if (is_stopped()) return Stopped();
  StatusOr<std::unique_ptr<Merge>> planned;
  run_in_background_([&] { planned = Plan(); });
  ASSIGN_OR_RETURN(std::unique_ptr<Merge> merge, std::move(planned));
  if (merge == nullptr) return false;
  const int64_t begin_ns = clock_.SteadyNs();
  Status status = Write(*merge);
  if (absl::IsCancelled(status)) return status;
  if (merge->damaged_source) {
    CountFailure("damaged", status);
    run_in_background_([&] { damaged_.insert(*merge->damaged_source); });
    return true;
  }
  if (!status.ok()) {
    CountFailure("disk", status);
    return status;
  }
  run_in_background_([&] { status = Finish(std::move(*merge)); });
  RETURN_IF_ERROR(status);
  merges_.Add(clock_.SteadyNs() - begin_ns);
  return true;
}

std::vector<std::shared_ptr<const Segment>> Compactor::Places(const Parts& parts) const {
  std::vector<std::shared_ptr<const Segment>> places;
  auto next = parts.segments.begin();
  for (const catalogue::SegmentRow& row : segments_.catalogue().ByArrival()) {
    const bool is_there = next != parts.segments.end() && (*next)->row().id == row.id;
    places.push_back(is_there ? *next++ : nullptr);
  }
  return places;
}

StatusOr<std::unique_ptr<Compactor::Merge>> Compactor::Plan() {
  RETURN_IF_ERROR(exchange_.Settle());
  const Parts parts = parts_.Now();
  const std::vector<std::shared_ptr<const Segment>> places = Places(parts);
  std::vector<MergeCandidate> candidates;
  const int64_t now_ns = clock_.SteadyNs();
  bool has_waiting = false;
  for (const auto& segment : places) {
    const bool is_damaged = segment == nullptr || damaged_.contains(segment->row().id);
    candidates.push_back(is_damaged ? MergeCandidate{.is_fixed = true} : CandidateOf(*segment, now_ns));
    has_waiting = has_waiting || (!is_damaged && candidates.back().is_fixed);
  }
  has_waiting_ = has_waiting;
  const std::optional<MergeRun> run = options_.policy.Next(candidates);
  if (!run) return nullptr;
  auto merge = std::make_unique<Merge>();
  merge->age = parts.age;
  for (size_t i = run->begin; i < run->end; ++i) {
    merge->replacement.sources.push_back(places[i]);
    merge->position.level = std::max(merge->position.level, places[i]->row().level + 1);
  }
  RETURN_IF_ERROR(CheckRoom(*merge));
  merge->position.id = segments_.NextId();
  merge->position.arrival = merge->replacement.sources.front()->row().arrival;
  return merge;
}

Status Compactor::CheckRoom(const Merge& merge) {
  uint64_t bytes = 0;
  for (const auto& source : merge.replacement.sources) bytes += source->row().bytes;
  ASSIGN_OR_RETURN(const uint64_t free, segments_.FreeBytes());
  if (free >= bytes + options_.reserve_bytes) return absl::OkStatus();
  Status no_room = absl::ResourceExhaustedError(StrCat("merging takes ", bytes, " bytes until the old segments go; ",
                                                       free, " are free, and ", options_.reserve_bytes,
                                                       " of them are kept for what comes in"));
  CountFailure("no_room", no_room);
  return no_room;
}

Status Compactor::Write(Merge& merge) {
  ASSIGN_OR_RETURN(merge.replacement.written, segments_.WriteFile(merge.position, [&](SegmentBuilder& builder) {
    return AddTraces(merge, builder);
  }));
  for (const auto& source : merge.replacement.sources) bytes_read_.Add(source->row().bytes);
  bytes_written_.Add(merge.replacement.written->row().bytes);
  return absl::OkStatus();
}

Status Compactor::AddTraces(Merge& merge, SegmentBuilder& builder) {
  MergedTraces traces(merge.replacement.sources, parts_.split());
  const auto add_next = [&]() -> StatusOr<bool> {
    ASSIGN_OR_RETURN(const std::vector<TracePart> parts, traces.Next());
    if (parts.empty()) return false;
    RETURN_IF_ERROR(AddTrace(merge, traces, parts, builder));
    if (parts.size() > 1)
      merge.replacement.joined.push_back({.id = parts[0].place.id(), .parts_fewer = parts.size() - 1});
    return true;
  };
  while (true) {
    const StatusOr<bool> added = add_next();
    if (absl::IsDataLoss(added.status()))
      merge.damaged_source = merge.replacement.sources[traces.failed_source()]->row().id;
    RETURN_IF_ERROR(added.status());
    if (!*added) return absl::OkStatus();
  }
}

Status Compactor::AddTrace(const Merge& merge, MergedTraces& traces, const std::vector<TracePart>& parts,
                           SegmentBuilder& builder) {
  uint64_t rows = 0;
  uint64_t version = 0;  // grows with that of each part
  uint64_t bytes = 0;    // to be read; about as much is written
  for (const TracePart& part : parts) {
    rows += part.place.rows();
    version += part.place.entry[TraceSlot::kVersion];
    bytes += part.place.rows() * BytesASpan(merge.replacement.sources[part.source]->row());
  }
  const otlp::TraceId id = parts[0].place.id();
  if (rows > kPageRows) {
    PacedSpans spans(traces.SpansOf(parts), bytes / rows, pace_);
    return builder.Add(id, spans, version);
  }
  ASSIGN_OR_RETURN(std::vector<StoredSpan> spans, traces.ReadSpans(parts));
  builder.Add(Trace{.id = id, .spans = std::move(spans)}, version);
  return pace_.Spend(2 * bytes) ? absl::OkStatus() : Stopped();
}

Status Compactor::Finish(Merge merge) {
  auto exchange = std::make_unique<Exchange>();
  exchange->age = std::move(merge.age);
  exchange->replacements.push_back(std::move(merge.replacement));
  const Status committed = exchange_.Commit(std::move(exchange));
  if (!committed.ok()) CountFailure("catalogue", committed);
  return committed;
}

}  // namespace spanloom::store::columnar
