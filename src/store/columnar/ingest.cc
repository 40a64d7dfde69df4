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
  std::vector<Bytes> requests;
  requests.reserve(batches.size());
  for (const otlp::Batch& batch : batches) requests.push_back(batch.Encode());
  const StatusOr<log::SequenceRange> written = WriteToLog(requests);
  if (!written.ok()) {
    std::ranges::fill(statuses, Refusal(written.status()));
    return statuses;
  }
  for (size_t i = 0; i < batches.size(); ++i) AddToHead(requests[i], batches[i].wire_bytes());
  head_sequence_ = written->last;
  return statuses;
}

StatusOr<log::SequenceRange> Ingest::WriteToLog(std::span<const Bytes> requests) {
  ASSIGN_OR_RETURN(const log::SequenceRange range, log_.Append(log::FrameKind::kSpans, requests));
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
  AddToHead(batch.Encode(), batch.wire_bytes());
  head_sequence_ = sequence;
}

void Ingest::AddToHead(const Bytes& request, size_t bytes) {
  head::IncomingBatch batch = head::SplitSharing(request);
  const Parts parts = parts_.Now();
  for (head::IncomingTrace& trace : batch.traces) {
    const Status status = LeaveOutStored(parts, batch, trace);
    // What can't be compared is stored: rather twice than not at all.
    if (!status.ok())
      Log(LogLevel::kWarn, "spans could not be compared with earlier ones", {{"why", status.message()}});
  }
  std::erase_if(batch.traces, [](const head::IncomingTrace& trace) { return trace.spans.empty(); });
  head::RemovedTraces removed;
  {
    const MutexLock lock(parts.filling->mutex);
    head::TraceTable& table = parts.filling->table;
    const size_t spans_before = table.spans();
    duplicates_ += table.Add(batch, removed).duplicate;
    head_spans_ = table.spans();
    if (head_spans_ > spans_before) head_bytes_ += bytes;  // one span keeps the whole request
  }
  last_added_ns_ = clock_.SteadyNs();
  if (first_added_ns_ == 0) first_added_ns_ = last_added_ns_;
}

Status Ingest::LeaveOutStored(const Parts& parts, const head::IncomingBatch& batch, head::IncomingTrace& trace) {
  if (parts.segments.empty() && parts.full == nullptr) return absl::OkStatus();
  auto split = splits_.find(trace.id);
  if (split == splits_.end()) {
    if (!SpansIn(*parts.filling, trace.id).empty()) return absl::OkStatus();  // looked for when it came first
    ASSIGN_OR_RETURN(EarlierSpans earlier, EarlierSpans::Read(parts, trace.id));
    if (earlier.empty()) return absl::OkStatus();
    parts_.split().Add(trace.id);
    split = splits_.emplace(trace.id, Split{.earlier = std::move(earlier)}).first;
  }
  ASSIGN_OR_RETURN(const std::vector<bool> stored, split->second.earlier.Contains(batch, trace));
  size_t fresh = 0;
  for (size_t i = 0; i < stored.size(); ++i) {
    if (!stored[i]) std::swap(trace.spans[fresh++], trace.spans[i]);
  }
  duplicates_ += stored.size() - fresh;
  trace.spans = trace.spans.first(fresh);
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
