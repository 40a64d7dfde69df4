// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/write/ingest.h"

#include <utility>

#include "base/text.h"

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

Ingest::Ingest(const IngestOptions& options, PartsTable& parts, head::FollowedSpans& recent, log::LogWriter& log,
               MetricRegistry& metrics, const Clock& clock)
    : options_(options),
      log_(log),
      clock_(clock),
      commits_(metrics.GetHistogram("spanloom_store_commit_seconds",
                                    "Time from when batches were taken until they were as safe as `sync` says.",
                                    {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5})),
      refused_(metrics.GetCounter(kRefusedAppends.name, kRefusedAppends.help, {{"cause", "log"}})),
      head_(parts, recent) {}

std::vector<Status> Ingest::Write(std::span<const otlp::Batch> batches) {
  const int64_t begin_ns = clock_.SteadyNs();
  const auto refused = [&](const Status& why) {
    refused_.Add(batches.size());
    return std::vector<Status>(batches.size(), Refusal(why));
  };
  std::vector<Bytes> requests;
  requests.reserve(batches.size());
  for (const otlp::Batch& batch : batches) requests.push_back(batch.Encode());
  const StatusOr<log::SequenceRange> written = log_.Append(log::FrameKind::kSpans, requests);
  if (!written.ok()) return refused(written.status());
  std::vector<head::IncomingBatch> split = SplitFirst(requests);
  if (const Status safe = MakeSafe(); !safe.ok()) return refused(safe);
  commits_.AddNs(clock_.SteadyNs() - begin_ns);
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
  head_.Add(std::move(batch), bytes);
  last_added_ns_ = clock_.SteadyNs();
  if (first_added_ns_ == 0) first_added_ns_ = last_added_ns_;
}

bool Ingest::IsFlushDue() const {
  if (head_is_empty()) return false;
  const int64_t now = clock_.SteadyNs();
  return head_bytes() >= options_.head_bytes || now - last_added_ns_ >= Nanoseconds(options_.idle_flush) ||
         now - first_added_ns_ >= Nanoseconds(options_.age_flush);
}

uint64_t Ingest::OnExchanged() {
  head_.OnExchanged();
  first_added_ns_ = 0;
  return head_sequence_;
}

}  // namespace spanloom::store::columnar
