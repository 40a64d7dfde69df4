// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/ingest.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/text.h"
#include "store/columnar/trace_gatherer.h"

namespace spanloom::store::columnar {
namespace {

constexpr std::chrono::milliseconds kRetryDelay{500};  // told to who is refused; guess

int64_t Nanoseconds(std::chrono::milliseconds duration) {
  return std::chrono::nanoseconds(duration).count();
}

// A sender is to come again, whatever the disk said: what it sends is right.
Status Refusal(const Status& status) {
  return WithRetryDelay(absl::UnavailableError(StrCat("columnar store: ", status.message())), kRetryDelay);
}

bool IsSame(const StoredSpan& a, const StoredSpan& b) {
  return a.wire.view() == b.wire.view() && AreEqual(*a.origin, *b.origin);
}

}  // namespace

std::vector<Status> Ingest::Write(std::span<const otlp::Batch> batches) {
  std::vector<Status> statuses(batches.size());
  const StatusOr<log::SequenceRange> written = WriteToLog(batches);
  if (!written.ok()) {
    std::ranges::fill(statuses, Refusal(written.status()));
    return statuses;
  }
  for (size_t i = 0; i < batches.size(); ++i) statuses[i] = AddToHead(batches[i]);
  head_sequence_ = written->last;
  return statuses;
}

StatusOr<log::SequenceRange> Ingest::WriteToLog(std::span<const otlp::Batch> batches) {
  std::vector<Bytes> payloads;
  payloads.reserve(batches.size());
  for (const otlp::Batch& batch : batches) payloads.push_back(batch.Encode());
  ASSIGN_OR_RETURN(const log::SequenceRange range, log_.Append(log::FrameKind::kSpans, payloads));
  if (options_.sync == SyncMode::kAlways) {
    RETURN_IF_ERROR(log_.Sync());
  } else {
    has_unsynced_ = true;
  }
  return range;
}

Status Ingest::SyncIfDue() {
  if (options_.sync != SyncMode::kInterval || !has_unsynced_) return absl::OkStatus();
  if (clock_.SteadyNs() - synced_ns_ < Nanoseconds(options_.sync_interval)) return absl::OkStatus();
  synced_ns_ = clock_.SteadyNs();
  has_unsynced_ = false;
  return log_.Sync();
}

Status Ingest::Recover(const otlp::Batch& batch, uint64_t sequence) {
  RETURN_IF_ERROR(AddToHead(batch));
  head_sequence_ = sequence;
  return absl::OkStatus();
}

Status Ingest::AddToHead(const otlp::Batch& batch) {
  std::vector<head::IncomingTrace> traces = head::SplitByTrace(batch);
  const Parts parts = parts_.Now();
  for (head::IncomingTrace& trace : traces) {
    const Status status = LeaveOutStored(parts, trace);
    // An older part that can't be read must not keep new spans out: one may then be stored twice.
    if (!status.ok()) earlier_.try_emplace(trace.id);
  }
  std::erase_if(traces, [](const head::IncomingTrace& trace) { return trace.spans.empty(); });
  head::RemovedTraces removed;
  {
    const MutexLock lock(parts.filling->mutex);
    counts_.duplicate += parts.filling->table.Add(traces, removed).duplicate;
    head_bytes_ = parts.filling->table.bytes();
    head_spans_ = parts.filling->table.spans();
  }
  last_added_ns_ = clock_.SteadyNs();
  if (first_added_ns_ == 0) first_added_ns_ = last_added_ns_;
  return absl::OkStatus();
}

Status Ingest::LeaveOutStored(const Parts& parts, head::IncomingTrace& trace) {
  if (parts.segments.empty() && parts.full == nullptr) return absl::OkStatus();
  if (!earlier_.contains(trace.id)) {
    if (SpansIn(*parts.filling, trace.id) != nullptr) return absl::OkStatus();  // looked for when it came first
    RETURN_IF_ERROR(NoteEarlier(parts, trace.id));
  }
  const auto earlier = earlier_.find(trace.id);
  if (earlier == earlier_.end()) return absl::OkStatus();
  std::vector<bool> stored(trace.spans.size());  // all are looked up before any is moved
  for (size_t i = 0; i < stored.size(); ++i) {
    if (!earlier->second.contains(trace.spans[i].content_hash)) continue;
    ASSIGN_OR_RETURN(const bool is_stored, IsStored(parts, trace.id, trace.spans[i]));
    stored[i] = is_stored;
  }
  std::vector<head::IncomingSpan> fresh;
  for (size_t i = 0; i < stored.size(); ++i) {
    if (!stored[i]) fresh.push_back(std::move(trace.spans[i]));
  }
  counts_.duplicate += stored.size() - fresh.size();
  trace.spans = std::move(fresh);
  return absl::OkStatus();
}

Status Ingest::NoteEarlier(const Parts& parts, const otlp::TraceId& id) {
  ASSIGN_OR_RETURN(const std::vector<StoredSpan> spans, Earlier(parts, id));
  if (spans.empty()) return absl::OkStatus();
  parts_.split().Add(id);
  ++counts_.split_parts;
  absl::flat_hash_set<uint64_t>& hashes = earlier_[id];
  for (const StoredSpan& span : spans) hashes.insert(head::Describe(span, {}).content_hash);
  return absl::OkStatus();
}

StatusOr<bool> Ingest::IsStored(const Parts& parts, const otlp::TraceId& id, const head::IncomingSpan& span) {
  ASSIGN_OR_RETURN(const std::vector<StoredSpan> spans, Earlier(parts, id));
  return std::ranges::any_of(spans, [&](const StoredSpan& stored) { return IsSame(stored, span.stored); });
}

StatusOr<std::vector<StoredSpan>> Ingest::Earlier(const Parts& parts, const otlp::TraceId& id) {
  std::vector<StoredSpan> spans;
  for (const auto& segment : parts.segments) {
    ASSIGN_OR_RETURN(const std::optional<TracePlace> place, segment->Find(id));
    if (!place) continue;
    ASSIGN_OR_RETURN(const std::vector<StoredSpan> found,
                     segment->reader().ReadSpans(*place, std::numeric_limits<size_t>::max()));
    spans.insert(spans.end(), found.begin(), found.end());
  }
  if (parts.full == nullptr) return spans;
  if (const auto full = SpansIn(*parts.full, id)) {
    full->ForEach([&](const StoredSpan& span) {
      spans.push_back(span);
      return true;
    });
  }
  return spans;
}

bool Ingest::IsFlushDue() const {
  if (head_spans_ == 0) return false;
  const int64_t now = clock_.SteadyNs();
  return head_bytes() >= options_.head_bytes || now - last_added_ns_ >= Nanoseconds(options_.idle_flush) ||
         now - first_added_ns_ >= Nanoseconds(options_.age_flush);
}

uint64_t Ingest::OnExchanged() {
  head_bytes_ = 0;
  head_spans_ = 0;
  first_added_ns_ = 0;
  earlier_.clear();
  return head_sequence_;
}

}  // namespace spanloom::store::columnar
