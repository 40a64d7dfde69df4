// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/ingest.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
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

}  // namespace

std::vector<Status> Ingest::Write(std::span<const otlp::Batch> batches) {
  std::vector<Status> statuses(batches.size());
  const StatusOr<log::SequenceRange> written = WriteToLog(batches);
  if (!written.ok()) {
    std::ranges::fill(statuses, Refusal(written.status()));
    return statuses;
  }
  for (const otlp::Batch& batch : batches) AddToHead(batch);
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

void Ingest::Recover(const otlp::Batch& batch, uint64_t sequence) {
  AddToHead(batch);
  head_sequence_ = sequence;
}

void Ingest::AddToHead(const otlp::Batch& batch) {
  std::vector<head::IncomingTrace> traces = head::SplitByTrace(batch);
  const Parts parts = parts_.Now();
  for (head::IncomingTrace& trace : traces) {
    const Status status = LeaveOutStored(parts, trace);
    // What can't be compared is stored: rather twice than not at all.
    if (!status.ok())
      Log(LogLevel::kWarn, "spans could not be compared with earlier ones", {{"why", status.message()}});
  }
  std::erase_if(traces, [](const head::IncomingTrace& trace) { return trace.spans.empty(); });
  head::RemovedTraces removed;
  {
    const MutexLock lock(parts.filling->mutex);
    duplicates_ += parts.filling->table.Add(traces, removed).duplicate;
    head_bytes_ = parts.filling->table.bytes();
    head_spans_ = parts.filling->table.spans();
  }
  last_added_ns_ = clock_.SteadyNs();
  if (first_added_ns_ == 0) first_added_ns_ = last_added_ns_;
}

Status Ingest::LeaveOutStored(const Parts& parts, head::IncomingTrace& trace) {
  if (parts.segments.empty() && parts.full == nullptr) return absl::OkStatus();
  auto split = splits_.find(trace.id);
  if (split == splits_.end()) {
    if (SpansIn(*parts.filling, trace.id) != nullptr) return absl::OkStatus();  // looked for when it came first
    ASSIGN_OR_RETURN(EarlierSpans earlier, EarlierSpans::Read(parts, trace.id));
    if (earlier.empty()) return absl::OkStatus();
    parts_.split().Add(trace.id);
    split = splits_.emplace(trace.id, Split{.earlier = std::move(earlier)}).first;
  }
  ASSIGN_OR_RETURN(const std::vector<bool> stored, split->second.earlier.Contains(trace.spans));
  std::vector<head::IncomingSpan> fresh;
  for (size_t i = 0; i < stored.size(); ++i) {
    if (!stored[i]) fresh.push_back(std::move(trace.spans[i]));
  }
  duplicates_ += stored.size() - fresh.size();
  trace.spans = std::move(fresh);
  if (!trace.spans.empty() && !std::exchange(split->second.is_in_head, true)) parts_.split().AddParts(trace.id, 1);
  return absl::OkStatus();
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
  splits_.clear();
  return head_sequence_;
}

}  // namespace spanloom::store::columnar
