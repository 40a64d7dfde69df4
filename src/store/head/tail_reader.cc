// SPDX-License-Identifier: Apache-2.0

#include "store/head/tail_reader.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "store/head/candidate_reader.h"

namespace spanloom::store::head {

StatusOr<TailBatch> TailReader::Read(const TailPosition& position, size_t spans_max) {
  TailBatch batch = {.spans = {}, .next = position};
  Collect(position, batch);
  for (const RecentSpan& span : spans_) {
    if (builder_.rows() >= spans_max) {
      batch.next.sequence = span.sequence;
      break;
    }
    scan::TraceReading* reading = nullptr;
    ASSIGN_OR_RETURN(const size_t ordinal, Locate(span, reading));
    const uint64_t matches = selector_.MatchesOf(*reading, ordinal);
    if (matches == 0) continue;
    AddRow(span, *reading, ordinal, matches);
    if (builder_.bytes() <= plan_.limits.bytes_max) continue;
    if (builder_.rows() > 1) {  // the reader comes back for the rest
      batch.next.sequence = span.sequence + 1;
      break;
    }
    return absl::ResourceExhaustedError(
        StrCat("a span of trace ", span.trace_id.Hex(), " exceeds ", plan_.limits.bytes_max, " bytes"));
  }
  if (auto rows = builder_.Finish()) batch.spans = *std::move(rows);
  return batch;
}

void TailReader::Collect(const TailPosition& position, TailBatch& batch) {
  const MutexLock lock(table_.mutex);
  const RecentSpans& recent = table_.table.recent();
  const uint64_t first = std::max(position.sequence, recent.first_sequence());
  batch.spans_missed = first - position.sequence;
  spans_ = recent.Read(first, kInspectedMax);
  const bool is_all = spans_.size() < kInspectedMax;
  batch.next.sequence = is_all ? recent.next_sequence() : spans_.back().sequence + 1;
  for (const RecentSpan& span : spans_) {
    const auto [trace, is_new] = traces_.try_emplace(span.trace_id);
    const StoredTrace* const stored = is_new ? table_.table.Find(span.trace_id) : nullptr;
    if (stored == nullptr) continue;
    trace->second.spans = stored->spans;
    trace->second.size = stored->spans.size();
  }
}

StatusOr<size_t> TailReader::Locate(const RecentSpan& span, scan::TraceReading*& reading) {
  if (selector_.needs_trace() || plan_.needs_trace()) {
    OpenTrace& trace = traces_[span.trace_id];
    if (!trace.spans.empty() && trace.reading == nullptr) RETURN_IF_ERROR(Open(span.trace_id, trace));
    const auto ordinal = trace.ordinals.find(IdentityOf(span.stored));
    if (ordinal != trace.ordinals.end()) {
      reading = trace.reading.get();
      return ordinal->second;
    }
  }
  alone_.Begin(span.trace_id);
  RETURN_IF_ERROR(alone_.Add(span.stored, meter_));
  alone_.Sort();
  reading = &alone_;
  return size_t{0};
}

Status TailReader::Open(const otlp::TraceId& id, OpenTrace& trace) {
  trace.reading = std::make_unique<scan::TraceReading>();
  RETURN_IF_ERROR(ReadTrace({.id = id, .spans = trace.spans}, *trace.reading, meter_));
  for (size_t i = 0; i < trace.reading->size(); ++i) trace.ordinals[IdentityOf(trace.reading->stored(i))] = i;
  return absl::OkStatus();
}

void TailReader::AddRow(const RecentSpan& span, scan::TraceReading& reading, size_t ordinal, uint64_t matches) {
  const uint64_t start = reading.start_unix_ns(ordinal);
  if (last_id_ != span.trace_id) {
    last_id_ = span.trace_id;
    builder_.BeginTrace({.latest_start_unix_ns = start, .id = span.trace_id},
                        static_cast<uint32_t>(traces_[span.trace_id].size));
  }
  builder_.AddRow(reading, ordinal, matches);
  // Cells and messages view the bytes of the span, and of its origin.
  builder_.Pin(std::make_shared<const StoredSpan>(span.stored));
}

}  // namespace spanloom::store::head
