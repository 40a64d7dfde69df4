// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/write/flusher.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace spanloom::store::columnar {
namespace {

constexpr size_t kPrefetchTraces = 2;  // ahead of the one that is written

struct HeadTrace {
  uint64_t start_unix_ns = 0;
  otlp::TraceId id;
  const head::TraceSpans* spans = nullptr;
};

// In the order of a segment. Of a head that is full: only this thread takes traces out of it.
std::vector<HeadTrace> TracesOf(const head::LockedTable& head) {
  std::vector<HeadTrace> traces;
  {
    const MutexLock lock(head.mutex);
    traces.reserve(head.table.traces());
    for (const head::StoredTrace* const trace : head.table.by_arrival()) {
      traces.push_back({.start_unix_ns = trace->starts.earliest, .id = trace->id, .spans = &trace->spans});
    }
  }
  std::ranges::sort(traces, [](const HeadTrace& a, const HeadTrace& b) {
    return std::pair(a.start_unix_ns, a.id) < std::pair(b.start_unix_ns, b.id);
  });
  return traces;
}

// Asks for the bytes of spans that will be read soon: they lie apart, in the requests that they came with, and to wait
// for each took a fifth of what a segment costs.
void Prefetch(const head::TraceSpans& spans) {
  constexpr size_t kLineBytes = 64;
  size_t lines_left = 512;  // most of a first-level cache; what a larger trace has beyond is read when it comes
  spans.ForEach([&](const StoredSpan& span) {
    const std::string_view wire = span.wire.view();
    for (size_t i = 0; i < wire.size() && lines_left > 0; i += kLineBytes, --lines_left) __builtin_prefetch(&wire[i]);
    return lines_left > 0;
  });
}

void AddTraces(const std::vector<HeadTrace>& traces, SegmentBuilder& builder) {
  std::vector<const StoredSpan*> spans;
  for (size_t i = 0; i < traces.size(); ++i) {
    if (i + kPrefetchTraces < traces.size()) Prefetch(*traces[i + kPrefetchTraces].spans);
    const HeadTrace& trace = traces[i];
    spans.clear();
    trace.spans->ForEach([&](const StoredSpan& span) {
      spans.push_back(&span);
      return true;
    });
    builder.Add(trace.id, spans, spans.size());
  }
}

}  // namespace

StatusOr<std::shared_ptr<const Segment>> Flusher::Write(const head::LockedTable& head, uint64_t log_position) {
  RETURN_IF_ERROR(segments_.Settle());
  if (written_ != nullptr && !segments_.IsKnown(written_->row().id)) {
    segments_.RemoveFile(std::exchange(written_, nullptr)->row());
  }
  if (written_ != nullptr) return std::exchange(written_, nullptr);
  const std::vector<HeadTrace> traces = TracesOf(head);  // outlives the builder
  if (traces.empty()) {                                  // what it had was removed
    RETURN_IF_ERROR(segments_.Commit({.added = {}, .removed = {}, .log_position = log_position}));
    return nullptr;
  }
  const uint64_t id = segments_.NextId();
  ASSIGN_OR_RETURN(written_,
                   segments_.WriteFile({.id = id, .arrival = id, .level = 0}, [&](SegmentBuilder& builder) -> Status {
                     AddTraces(traces, builder);
                     return absl::OkStatus();
                   }));
  RETURN_IF_ERROR(segments_.Commit(
      {.added = {{.row = written_->row(), .trace_filter = {}}}, .removed = {}, .log_position = log_position}));
  return std::exchange(written_, nullptr);
}

}  // namespace spanloom::store::columnar
