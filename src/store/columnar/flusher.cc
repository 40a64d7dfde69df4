// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/flusher.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace spanloom::store::columnar {
namespace {

struct HeadTrace {
  uint64_t start_unix_ns = 0;
  otlp::TraceId id;
  head::TraceSpans spans;
};

// In the order of a segment.
std::vector<HeadTrace> TracesOf(const head::LockedTable& head) {
  std::vector<HeadTrace> traces;
  {
    const MutexLock lock(head.mutex);
    traces.reserve(head.table.traces());
    for (const head::StoredTrace* const trace : head.table.by_arrival()) {
      traces.push_back({.start_unix_ns = trace->starts.earliest, .id = trace->id, .spans = trace->spans});
    }
  }
  std::ranges::sort(traces, [](const HeadTrace& a, const HeadTrace& b) {
    return std::pair(a.start_unix_ns, a.id) < std::pair(b.start_unix_ns, b.id);
  });
  return traces;
}

void AddTraces(const std::vector<HeadTrace>& traces, SegmentBuilder& builder) {
  std::vector<const StoredSpan*> spans;
  for (const HeadTrace& trace : traces) {
    spans.clear();
    trace.spans.ForEach([&](const StoredSpan& span) {
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
