// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/write/head_filler.h"

#include <utility>
#include <vector>

#include "base/log.h"
#include "store/columnar/parts/trace_gatherer.h"

namespace spanloom::store::columnar {

void HeadFiller::Add(head::IncomingBatch batch, size_t bytes) {
  const Parts parts = parts_.Now();
  for (head::IncomingTrace& trace : batch.traces) {
    const Status status = LeaveOutStored(parts, batch, trace);
    if (status.ok()) continue;
    // What can't be compared is stored: rather twice than not at all. And who reads it looks everywhere.
    parts_.split().Add(trace.id);
    Log(LogLevel::kWarn, "spans could not be compared with earlier ones", {{"why", status.message()}});
  }
  std::erase_if(batch.traces, [](const head::IncomingTrace& trace) { return trace.spans.empty(); });
  AddToHead(parts, batch, bytes);
}

void HeadFiller::AddToHead(const Parts& parts, head::IncomingBatch& batch, size_t bytes) {
  head::RemovedTraces removed;
  recent_.Add(bytes, [&](head::RecentSpans& recent) {
    const MutexLock lock(parts.filling->mutex);
    head::TraceTable& table = parts.filling->table;
    const size_t spans_before = table.spans();
    duplicates_ += table.Add(batch, recent, removed).duplicate;
    spans_ = table.spans();
    if (spans_ > spans_before) bytes_ += bytes;  // one span keeps the whole request
  });
}

Status HeadFiller::LeaveOutStored(const Parts& parts, const head::IncomingBatch& batch, head::IncomingTrace& trace) {
  if (parts.segments.empty() && parts.full == nullptr) return absl::OkStatus();
  auto split = splits_.find(trace.id);
  if (split == splits_.end()) {
    if (!SpansIn(*parts.filling, trace.id).empty()) return absl::OkStatus();  // looked for when it came first
    ASSIGN_OR_RETURN(EarlierSpans earlier, EarlierSpans::Read(parts, trace.id));
    if (earlier.empty()) return absl::OkStatus();
    parts_.split().Add(trace.id);
    split = splits_.emplace(trace.id, Split{.earlier = std::move(earlier)}).first;
  }
  if (!split->second.earlier) {
    ASSIGN_OR_RETURN(split->second.earlier, EarlierSpans::Read(parts, trace.id));
    if (split->second.earlier->empty()) {  // all that older parts had was removed
      splits_.erase(split);
      return absl::OkStatus();
    }
  }
  ASSIGN_OR_RETURN(const std::vector<bool> stored, split->second.earlier->Contains(batch, trace));
  size_t fresh = 0;
  for (size_t i = 0; i < stored.size(); ++i) {
    if (!stored[i]) std::swap(trace.spans[fresh++], trace.spans[i]);
  }
  duplicates_ += stored.size() - fresh;
  trace.spans = trace.spans.first(fresh);
  if (!trace.spans.empty() && !std::exchange(split->second.is_in_head, true)) parts_.split().AddParts(trace.id, 1);
  return absl::OkStatus();
}

void HeadFiller::OnRemoved() {
  for (auto& [id, split] : splits_) split.earlier.reset();
}

void HeadFiller::OnExchanged() {
  bytes_ = 0;
  spans_ = 0;
  splits_.clear();
}

}  // namespace spanloom::store::columnar
