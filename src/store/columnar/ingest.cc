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
  const auto refused = [&](const Status& why) { return std::vector<Status>(batches.size(), Refusal(why)); };
  std::vector<Bytes> requests;
  requests.reserve(batches.size());
  for (const otlp::Batch& batch : batches) requests.push_back(batch.Encode());
  const StatusOr<log::SequenceRange> written = log_.Append(log::FrameKind::kSpans, requests);
  if (!written.ok()) return refused(written.status());
  std::vector<head::IncomingBatch> split = SplitFirst(requests);
  if (const Status safe = MakeSafe(); !safe.ok()) return refused(safe);
  for (size_t i = 0; i < batches.size(); ++i) {
    if (i == split.size()) split.push_back(head::SplitSharing(requests[i]));
    AddToHead(std::exchange(split[i], {}), batches[i].wire_bytes());
  }
  head_sequence_ = written->last;
  return std::vector<Status>(batches.size());
}

// Reads them while they are in the caches, as they were appended; when the disk is done they no longer are. So many fit
// the cache of a core; and what is made of short spans is several times as large as they are.
std::vector<head::IncomingBatch> Ingest::SplitFirst(std::span<const Bytes> requests) {
  constexpr size_t kBytesMax = 2 << 20;  // guess
  std::vector<head::IncomingBatch> split;
  size_t bytes = 0;
  for (const Bytes& request : requests) {
    bytes += request.size();
    if (bytes > kBytesMax) break;
    split.push_back(head::SplitSharing(request));
  }
  return split;
}

Status Ingest::MakeSafe() {
  has_unsynced_ = options_.sync != SyncMode::kAlways;
  return has_unsynced_ ? absl::OkStatus() : log_.Sync();
}

Status Ingest::SyncIfDue() {
  if (options_.sync != SyncMode::kInterval || !has_unsynced_) return absl::OkStatus();
  if (clock_.SteadyNs() - synced_ns_ < Nanoseconds(options_.sync_interval)) return absl::OkStatus();
  synced_ns_ = clock_.SteadyNs();
  has_unsynced_ = false;
  return log_.Sync();
}

void Ingest::Recover(const otlp::Batch& batch, uint64_t sequence) {
  AddToHead(head::SplitSharing(batch.Encode()), batch.wire_bytes());
  head_sequence_ = sequence;
}

void Ingest::AddToHead(head::IncomingBatch batch, size_t bytes) {
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
