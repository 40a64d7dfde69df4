// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/merge/request_filler.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/text.h"

namespace spanloom::store::columnar {
namespace {

Status Stopped() {
  return absl::CancelledError("the store stops");
}

// The rows with the places of their keys' spans. Nearly always there is one, and it is the first span.
std::vector<PlacedRow> Place(const Trace& trace, std::vector<RequestRow> rows) {
  std::vector<PlacedRow> placed;
  placed.reserve(rows.size());
  for (RequestRow& row : rows) {
    const auto found =
        std::ranges::find(trace.spans, row.key.span_id, [](const StoredSpan& span) { return span.span().span_id(); });
    std::optional<uint64_t> place;
    if (found != trace.spans.end()) place = static_cast<uint64_t>(found - trace.spans.begin());
    placed.push_back({.row = std::move(row), .place = place});
  }
  return placed;
}

}  // namespace

RequestFiller::RequestFiller(const RequestFillerOptions& options, SegmentDirectory& segments, RequestFiles& files,
                             PartsTable& parts, const RequestDeriver& deriver, DamageCounter& damage,
                             MetricRegistry& metrics, const Clock& clock, RunInBackground run_in_background)
    : options_(options),
      segments_(segments),
      files_(files),
      parts_(parts),
      deriver_(deriver),
      damage_(damage),
      metrics_(metrics),
      clock_(clock),
      run_in_background_(std::move(run_in_background)),
      pace_(options.bytes_per_second, clock),
      fills_(metrics, {.count = "spanloom_store_request_files",
                       .count_help = "Times that the request rows of a segment were written.",
                       .seconds = "spanloom_store_request_file_seconds",
                       .seconds_help = "Time spent deriving and writing the request rows of segments since the start, "
                                       "waits for its rate included."}),
      rows_(metrics.GetCounter("spanloom_store_request_rows", "Request rows that were written beside segments.")) {}

void RequestFiller::CountFailure(std::string_view cause, const Status& status) {
  metrics_
      .GetCounter("spanloom_store_failed_request_files",
                  "Request rows of segments that could not be written; they are derived when they are asked for.",
                  {{"cause", std::string(cause)}})
      .Add(1);
  Log(LogLevel::kWarn, "request rows could not be written; they are derived when they are asked for",
      {{"cause", cause}, {"why", status.message()}});
}

std::shared_ptr<const Segment> RequestFiller::WithRequests(std::shared_ptr<const Segment> segment) {
  StatusOr<std::shared_ptr<const RequestFile>> requests = files_.Open(*segment, deriver_.version);
  if (requests.ok()) return segment->WithRequests(*std::move(requests));
  if (!absl::IsNotFound(requests.status()) && !absl::IsFailedPrecondition(requests.status())) {
    damage_.Add(StrCat(requests.status().message(), "; they are derived again"));
  }
  return segment;
}

// Traces that are gone are not covered, since they are there again after a restart, until retention has run.
uint64_t RequestFiller::DueOf(const Segment& segment) const {
  const auto failed = not_before_unix_ns_.find(segment.row().id);
  if (failed != not_before_unix_ns_.end()) return failed->second;
  const RequestFile* const requests = segment.requests();
  const uint64_t created = segment.row().created_unix_ns;
  if (requests == nullptr) return created + kPatienceNs;
  if (requests->is_damaged()) return 0;
  if (requests->index().uncovered() <= segment.row().traces - segment.traces_left()) return kNever;
  const uint64_t derived = requests->index().derived_unix_ns;
  return derived + std::max(derived - std::min(created, derived), kPatienceNs);
}

uint64_t RequestFiller::DueUnixNs() const {
  uint64_t due = kNever;
  for (const auto& segment : parts_.Now().segments) due = std::min(due, DueOf(*segment));
  return due;
}

StatusOr<bool> RequestFiller::FillOnce() {
  if (is_stopped()) return Stopped();
  const auto now_unix_ns = static_cast<uint64_t>(clock_.UnixNs());
  const Parts parts = parts_.Now();
  const auto due =
      std::ranges::find_if(parts.segments, [&](const auto& segment) { return DueOf(*segment) <= now_unix_ns; });
  if (due == parts.segments.end()) return false;
  not_before_unix_ns_.erase((*due)->row().id);
  const int64_t begin_ns = clock_.SteadyNs();
  const StatusOr<uint64_t> rows = Write(**due, now_unix_ns);
  if (absl::IsCancelled(rows.status())) return rows.status();
  Status status = rows.status();
  if (status.ok()) run_in_background_([&] { status = Attach(**due); });
  if (!status.ok()) {
    CountFailure(absl::IsResourceExhausted(status) ? "no_room" : "disk", status);
    not_before_unix_ns_[(*due)->row().id] = now_unix_ns + kRetryNs;
    return true;
  }
  fills_.Add(clock_.SteadyNs() - begin_ns);
  rows_.Add(*rows);
  return true;
}

// A row takes 36 bytes, a span of an LLM server 86, and there are five of them a request; but nobody knows the deriver.
Status RequestFiller::CheckRoom(const Segment& segment) {
  ASSIGN_OR_RETURN(const uint64_t free, segments_.FreeBytes());
  if (free >= options_.reserve_bytes + segment.row().bytes) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      StrCat(free, " bytes are free, and ", options_.reserve_bytes, " of them are kept for what comes in"));
}

StatusOr<uint64_t> RequestFiller::Write(const Segment& segment, uint64_t now_unix_ns) {
  RETURN_IF_ERROR(CheckRoom(segment));
  return files_.Write(segment, deriver_.version, now_unix_ns,
                      [&](RequestFileBuilder& builder) { return AddTraces(segment, now_unix_ns, builder); });
}

Status RequestFiller::AddTraces(const Segment& segment, uint64_t now_unix_ns, RequestFileBuilder& builder) {
  SegmentBlocks blocks = segment.reader().MakeBlocks();
  for (const TraceChunkRef& chunk : segment.reader().index().trace_chunks()) {
    const StatusOr<std::vector<TracePlace>> places = segment.reader().TracesOf(chunk);
    if (absl::IsDataLoss(places.status())) {
      for (uint32_t i = 0; i < chunk.traces; ++i) builder.AddUncovered();
      continue;
    }
    RETURN_IF_ERROR(places.status());
    for (const TracePlace& place : *places) {
      if (segment.IsGone(place.number)) {
        builder.AddUncovered();
        continue;
      }
      RETURN_IF_ERROR(AddTrace(place, now_unix_ns, blocks, builder));
      if (!pace_.Spend(segment.BytesOf(place.rows()))) return Stopped();
    }
  }
  return absl::OkStatus();
}

// What can't be read, or is too large, is not covered: who asks for it is told so.
Status RequestFiller::AddTrace(const TracePlace& place, uint64_t now_unix_ns, SegmentBlocks& blocks,
                               RequestFileBuilder& builder) {
  StatusOr<std::vector<StoredSpan>> spans = SegmentReader::ReadSpans(place, kTraceBytesMax, blocks);
  if (absl::IsDataLoss(spans.status()) || absl::IsResourceExhausted(spans.status())) {
    builder.AddUncovered();
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(spans.status());
  const Trace trace = {.id = place.id(), .spans = *std::move(spans)};
  std::vector<RequestRow> rows = deriver_.derive(trace, now_unix_ns);
  if (std::ranges::any_of(rows, &RequestRow::is_provisional)) {
    builder.AddUncovered();
  } else {
    builder.Add(place, Place(trace, std::move(rows)));
  }
  return absl::OkStatus();
}

// Retention may have taken traces of the segment meanwhile, or all of it. Traces that a merge brought together need no
// longer be known as split, which rows of theirs would be passed over for.
Status RequestFiller::Attach(const Segment& segment) {
  parts_.ForgetSplits({});
  const Parts parts = parts_.Now();
  const std::optional<size_t> index = parts.segments.IndexOf(segment.row().id);
  if (!index) {
    files_.Withdraw(segment);
    return absl::OkStatus();
  }
  StatusOr<std::shared_ptr<const RequestFile>> requests = files_.Publish(segment, deriver_.version);
  if (!requests.ok()) {
    files_.Withdraw(segment);
    return requests.status();
  }
  const Segment& now = *parts.segments[*index];
  parts_.Replace(now, now.WithRequests(*std::move(requests)));
  return absl::OkStatus();
}

}  // namespace spanloom::store::columnar
