// SPDX-License-Identifier: Apache-2.0

#include "store/head/tail_reader.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/text.h"
#include "store/head/span_content.h"
#include "store/scan/batch_builder.h"
#include "store/scan/read_meter.h"
#include "store/scan/trace_reading.h"
#include "store/scan/trace_selector.h"

namespace spanloom::store::head {
namespace {

constexpr size_t kInspectedMax = 16'384;  // spans a call; guess

// Used once.
class TailReader {
 public:
  TailReader(const FetchPlan& plan, TraceSource& source, const Clock& clock)
      : plan_(plan),
        source_(source),
        meter_(plan.limits, clock),
        selector_(plan),
        needs_trace_(selector_.needs_trace() || plan.needs_trace()),
        builder_(plan) {}

  StatusOr<TailBatch> Read(const RecentPage& page, size_t spans_max) {
    TailBatch batch = {.spans = {}, .next = page.next, .spans_missed = page.spans_missed};
    for (const RecentSpan& span : page.spans) {
      if (builder_.rows() >= spans_max) {
        batch.next.sequence = span.sequence;
        break;
      }
      ASSIGN_OR_RETURN(const Place place, Locate(span));
      const uint64_t matches = place.reading == nullptr ? 0 : selector_.MatchesOf(*place.reading, place.ordinal);
      if (matches == 0) continue;
      RETURN_IF_ERROR(AddRow(span.trace_id, place, matches));
      if (builder_.bytes() <= plan_.limits.bytes_max) continue;
      if (builder_.rows() == 1) return TooLarge(span.trace_id);
      batch.next.sequence = span.sequence + 1;  // the reader comes back for the rest
      break;
    }
    if (auto rows = builder_.Finish()) batch.spans = *std::move(rows);
    return batch;
  }

 private:
  // A trace that one of the spans is of, as the source has it.
  struct OpenTrace {
    std::shared_ptr<const void> pin;  // of what is read; null if it can't be
    scan::TraceReading reading;
    absl::flat_hash_map<const StoredSpan*, size_t, SpanContentHash, SpanContentEqual> ordinals;
  };
  // Where a span is; nowhere, if its trace can't be read.
  struct Place {
    scan::TraceReading* reading = nullptr;
    size_t ordinal = 0;
  };

  // In its trace if the plan asks for what is only known there, else alone.
  StatusOr<Place> Locate(const RecentSpan& span) {
    if (needs_trace_) {
      ASSIGN_OR_RETURN(OpenTrace* const trace, Open(span.trace_id));
      if (trace->pin == nullptr) return Place();
      const auto found = trace->ordinals.find(&span.stored);
      if (found != trace->ordinals.end()) return Place{.reading = &trace->reading, .ordinal = found->second};
    }
    alone_.Begin(span.trace_id);
    RETURN_IF_ERROR(alone_.Add(span.stored, meter_));
    alone_.Sort();
    return Place{.reading = &alone_, .ordinal = 0};
  }

  // Keeps what is open, as far as one question may hold it: many of the spans are of few traces.
  StatusOr<OpenTrace*> Open(const otlp::TraceId& id) {
    const auto open = open_.find(id);
    if (open != open_.end()) return open->second.get();
    if (open_bytes_ > plan_.limits.bytes_max) {
      open_.clear();
      open_bytes_ = 0;
    }
    auto trace = std::make_unique<OpenTrace>();
    ASSIGN_OR_RETURN(trace->pin, source_.Read(id, trace->reading, meter_));
    const size_t size = trace->pin == nullptr ? 0 : trace->reading.size();
    for (size_t i = 0; i < size; ++i) {
      const StoredSpan& stored = trace->reading.stored(i);
      trace->ordinals.emplace(&stored, i);
      open_bytes_ += sizeof(StoredSpan) + stored.wire.size();
    }
    return open_.emplace(id, std::move(trace)).first->second.get();
  }

  Status AddRow(const otlp::TraceId& id, const Place& place, uint64_t matches) {
    scan::TraceReading& reading = *place.reading;
    if (last_id_ != id) {
      last_id_ = id;
      ASSIGN_OR_RETURN(const size_t size, SizeOf(id, reading));
      builder_.BeginTrace({.latest_start_unix_ns = reading.start_unix_ns(place.ordinal), .id = id},
                          static_cast<uint32_t>(size));
    }
    builder_.AddRow(reading, place.ordinal, matches);
    // Cells and messages view the bytes of the span, and of its origin.
    builder_.Pin(std::make_shared<const StoredSpan>(reading.stored(place.ordinal)));
    return absl::OkStatus();
  }

  // Of the whole trace, of which `reading` may have one span.
  StatusOr<size_t> SizeOf(const otlp::TraceId& id, const scan::TraceReading& reading) {
    if (&reading != &alone_) return reading.size();
    const auto [size, is_new] = sizes_.try_emplace(id, 1);
    if (is_new) {
      ASSIGN_OR_RETURN(const size_t stored, source_.CountSpans(id));
      size->second = std::max(size->second, stored);
    }
    return size->second;
  }

  [[nodiscard]] Status TooLarge(const otlp::TraceId& id) const {
    return absl::ResourceExhaustedError(
        StrCat("a span of trace ", id.Hex(), " exceeds ", plan_.limits.bytes_max, " bytes"));
  }

  const FetchPlan& plan_;
  TraceSource& source_;
  scan::ReadMeter meter_;
  scan::TraceSelector selector_;
  const bool needs_trace_;
  scan::BatchBuilder builder_;
  scan::TraceReading alone_;
  absl::flat_hash_map<otlp::TraceId, std::unique_ptr<OpenTrace>> open_;
  size_t open_bytes_ = 0;
  absl::flat_hash_map<otlp::TraceId, size_t> sizes_;  // of traces that are not opened
  std::optional<otlp::TraceId> last_id_;              // of the last row
};

}  // namespace

StatusOr<TailBatch> ReadTail(const FetchPlan& plan, const std::optional<TailPosition>& position, size_t spans_max,
                             FollowedSpans& recent, TraceSource& traces, const Clock& clock) {
  RETURN_IF_ERROR(plan.Validate());
  RETURN_IF_ERROR(plan.limits.Check(clock));
  if (!position) return TailBatch{.spans = {}, .next = recent.Begin()};
  ASSIGN_OR_RETURN(const RecentPage page, recent.Read(*position, kInspectedMax));
  return TailReader(plan, traces, clock).Read(page, spans_max);
}

}  // namespace spanloom::store::head
