// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/queue_state.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "pipeline/joined_done.h"

namespace spanloom::pipeline {
namespace {

constexpr std::chrono::milliseconds kFullDelay{1'000};  // until a full queue is worth another try; guess
// Between attempts while the queue drains: what is not sent within the grace is lost; guess.
constexpr std::chrono::milliseconds kDrainDelayMax{250};
// How many requests may be under way at once without a queue, where each has a client that waits; guess.
constexpr size_t kUnqueuedConsumers = 100;
constexpr size_t kReadBackBytes = 8 << 20;  // of messages that are read from the disk at once; guess
constexpr std::string_view kDropAdvice =
    "see the error of the destination; a longer outage needs a larger max_elapsed_time and queue_size";

// Errors that speak of the destination and not of the request.
bool DestinationFails(const Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kNotFound:
      return true;
    default:
      return IsRetryable(status);
  }
}

std::string_view UnitOf(SendingQueueOptions::Sizer sizer) {
  switch (sizer) {
    case SendingQueueOptions::Sizer::kRequests:
      return "requests";
    case SendingQueueOptions::Sizer::kItems:
      return "spans";
    case SendingQueueOptions::Sizer::kBytes:
      return "bytes";
  }
  return "";
}

size_t SizeOf(const ExportRequest& request, SendingQueueOptions::Sizer sizer) {
  switch (sizer) {
    case SendingQueueOptions::Sizer::kRequests:
      return 1;
    case SendingQueueOptions::Sizer::kItems:
      return request.spans;
    case SendingQueueOptions::Sizer::kBytes:
      return request.encoded_bytes;
  }
  return 1;
}

}  // namespace

SendingQueue::State::State(std::string exporter, std::shared_ptr<RequestEncoder> encoder,
                           const SendingQueueOptions& options, const RetryOptions& retry, const BuildContext& context,
                           net::Loop& loop, SendOnce send)
    : exporter_(std::move(exporter)),
      encoder_(std::move(encoder)),
      options_(options),
      retry_(retry),
      consumers_(options.enabled ? static_cast<size_t>(options.num_consumers) : kUnqueuedConsumers),
      clock_(context.clock),
      loop_(loop),
      workers_(context.loops.workers()),
      send_(std::move(send)),
      rng_(context.seed),
      drops_({{"exporter", exporter_}}, context.metrics, context.clock, context.signal),
      status_(context.status),
      failure_log_(context.clock),
      sent_(SentItems(context.metrics, exporter_, context.signal)),
      send_failed_(SendFailedItems(context.metrics, exporter_, context.signal)),
      enqueue_failed_(EnqueueFailedItems(context.metrics, exporter_, context.signal)),
      rejected_(RejectedItems(context.metrics, exporter_, context.signal)),
      lost_requests_(context.metrics.GetCounter(
          "spanloom_exporter_lost_requests",
          "Requests of a queue on the disk that can't be read any more; at most so many.", {{"exporter", exporter_}})) {
}

SendingQueue::State::Total SendingQueue::State::TotalOf(const std::vector<ExportRequest>& requests) const {
  Total total;
  for (const ExportRequest& request : requests) {
    total.size += SizeOf(request, options_.sizer);
    total.bytes += request.message.size();
    total.spans += request.spans;
  }
  return total;
}

Status SendingQueue::State::Refuse(size_t spans) {
  enqueue_failed_.Add(spans);
  return WithRetryDelay(absl::UnavailableError(StrCat("exporter ", exporter_, ": sending queue is full (queue_size ",
                                                      options_.queue_size, " ", UnitOf(options_.sizer), ")")),
                        kFullDelay);
}

Status SendingQueue::State::RefuseAsTooLarge(const Total& total) {
  enqueue_failed_.Add(total.spans);
  return absl::ResourceExhaustedError(StrCat("exporter ", exporter_, ": a request of ", total.size, " ",
                                             UnitOf(options_.sizer), " is larger than its queue_size of ",
                                             options_.queue_size));
}

bool SendingQueue::State::HasRoomFor(const Total& total) const {
  return waiting_size_ + total.size <= capacity() && waiting_bytes_ < kQueueBytesMax;
}

void SendingQueue::State::Add(std::vector<ExportRequest> requests, Done done) {
  if (abandoned_) return std::move(done)(absl::UnavailableError(StrCat("exporter ", exporter_, " is stopped")));
  const Total total = TotalOf(requests);
  if (total.size > capacity()) return std::move(done)(RefuseAsTooLarge(total));
  if (!blocked_.empty() || !HasRoomFor(total)) return Block(std::move(requests), total, std::move(done));
  Enqueue(std::move(requests), std::move(done));
  StartNext();
}

void SendingQueue::State::Block(std::vector<ExportRequest> requests, const Total& total, Done done) {
  if (!options_.block_on_overflow || blocked_bytes_ + total.bytes > kBlockedBytesMax) {
    return std::move(done)(Refuse(total.spans));
  }
  blocked_bytes_ += total.bytes;
  blocked_.push_back({std::move(requests), total, std::move(done)});
}

void SendingQueue::State::AdmitBlocked() {
  while (!blocked_.empty() && HasRoomFor(blocked_.front().total)) {
    Blocked admitted = std::move(blocked_.front());
    blocked_.pop_front();
    blocked_bytes_ -= admitted.total.bytes;
    Enqueue(std::move(admitted.requests), std::move(admitted.done));
  }
}

void SendingQueue::State::RefuseBlocked() {
  for (Blocked& refused : std::exchange(blocked_, {})) {
    std::move(refused.done)(absl::UnavailableError(StrCat("exporter ", exporter_, " is stopped")));
  }
  blocked_bytes_ = 0;
}

void SendingQueue::State::Enqueue(std::vector<ExportRequest> requests, Done done) {
  if (log_ != nullptr) {
    const Total total = TotalOf(requests);
    return WriteToLog(std::move(requests), total, std::move(done));
  }
  if (!options_.answers_early()) {
    std::vector<Done> parts = JoinedDone(requests.size(), std::move(done));
    for (size_t i = 0; i < requests.size(); ++i) {
      waiting_.push_back(Counted(std::move(requests[i]), std::move(parts[i])));
    }
    return;
  }
  for (ExportRequest& request : requests) {
    held_spans_ += request.spans;
    waiting_.push_back(Counted(std::move(request), Done()));
  }
  std::move(done)(absl::OkStatus());
}

// An entry for waiting_, whose size is counted.
SendingQueue::State::EntryPtr SendingQueue::State::Counted(ExportRequest request, Done done) {
  waiting_size_ += SizeOf(request, options_.sizer);
  waiting_bytes_ += request.message.size();
  return std::make_shared<Entry>(std::move(request), std::move(done), retry_);
}

void SendingQueue::State::KeepIn(const std::shared_ptr<RequestLog>& log) {
  log_ = log;
  lost_requests_.Add(log->lost_requests());
  for (const RequestLog::Waiting& found : log->found()) {
    EntryPtr entry = Counted({.message = {}, .spans = found.spans, .encoded_bytes = found.encoded_bytes}, Done());
    entry->on_disk = std::make_shared<OnDisk>(OnDisk{.sequence = found.sequence});
    entry->is_spilled = true;
    held_spans_ += found.spans;
    waiting_.push_back(std::move(entry));
  }
  if (!waiting_.empty()) {
    Log(LogLevel::kInfo, "requests of before the start are sent first",
        {{"exporter", exporter_}, {"requests", waiting_.size()}, {"items", held_spans_.load()}});
  }
  StartNext();
}

// Room is kept meanwhile. A request is in the queue when it is on the disk.
void SendingQueue::State::WriteToLog(std::vector<ExportRequest> requests, const Total& total, Done done) {
  waiting_size_ += total.size;
  waiting_bytes_ += total.bytes;
  ++writing_;
  std::vector<ExportRequest> to_write = requests;
  auto written = [self = shared_from_this(), requests = std::move(requests), total,
                  done = std::move(done)](StatusOr<std::vector<uint64_t>> sequences) mutable {
    self->loop_.Post([self, requests = std::move(requests), total, done = std::move(done),
                      sequences = std::move(sequences)]() mutable {
      self->OnWritten(std::move(requests), total, std::move(done), sequences);
    });
  };
  log_->Append(std::move(to_write), encoder_->form(), std::move(written));
}

void SendingQueue::State::OnWritten(std::vector<ExportRequest> requests, const Total& total, Done done,
                                    const StatusOr<std::vector<uint64_t>>& sequences) {
  --writing_;
  waiting_size_ -= total.size;
  waiting_bytes_ -= total.bytes;
  if (!sequences.ok()) {
    enqueue_failed_.Add(total.spans);
    is_log_failing_ = true;
    status_.ReportRecoverable(sequences.status());
    const Status why = Annotate(sequences.status(), StrCat("exporter ", exporter_, ": the storage of its queue fails"));
    std::move(done)(WithRetryDelay(absl::UnavailableError(why.message()), kFullDelay));
    return NotifyIfDrained();
  }
  if (std::exchange(is_log_failing_, false)) status_.ReportOk();
  for (size_t i = 0; i < requests.size() && !abandoned_; ++i) {
    held_spans_ += requests[i].spans;
    EntryPtr entry = Counted(std::move(requests[i]), Done());
    entry->on_disk = std::make_shared<OnDisk>(OnDisk{.sequence = (*sequences)[i]});
    if (waiting_bytes_ > kSpillBytes) Spill(*entry);
    waiting_.push_back(std::move(entry));
  }
  std::move(done)(absl::OkStatus());
  if (abandoned_) return;
  StartNext();
  NotifyIfDrained();
}

void SendingQueue::State::Spill(Entry& entry) {
  waiting_bytes_ -= entry.request.message.size();
  entry.request.message = Bytes();
  entry.is_spilled = true;
}

void SendingQueue::State::ReadBack(uint64_t sequence) {
  if (std::exchange(is_reading_, true)) return;
  const bool begun = workers_.Submit([self = shared_from_this(), log = log_, sequence] {
    StatusOr<std::vector<LoggedRequest>> read = log->Read(sequence, kReadBackBytes);
    self->loop_.Post([self, read = std::move(read)]() mutable { self->OnReadBack(std::move(read)); });
  });
  if (!begun) OnReadBack(absl::UnavailableError("no worker is free to read the queue"));
}

void SendingQueue::State::OnReadBack(StatusOr<std::vector<LoggedRequest>> read) {
  is_reading_ = false;
  if (abandoned_) return;
  if (read.ok()) {
    Restore(*std::move(read));
    StartNext();
    return NotifyIfDrained();
  }
  is_log_failing_ = true;
  status_.ReportRecoverable(read.status());
  if (const auto times = failure_log_.Admit(1)) {
    Log(LogLevel::kError, "what waits in a queue can't be read from its storage",
        {{"exporter", exporter_}, {"times", *times}, {"error", StdView(read.status().message())}});
  }
  read_again_ = loop_.PostAfter(kFullDelay, [this] { StartNext(); });
}

// `read` begins with the front of what waits, which is lost if it does not.
void SendingQueue::State::Restore(std::vector<LoggedRequest> read) {
  auto next = read.begin();
  for (size_t i = 0; i < waiting_.size() && waiting_bytes_ < kSpillBytes; ++i) {
    Entry& entry = *waiting_[i];
    if (!entry.is_spilled) continue;
    if (next == read.end() && i > 0) return;
    const bool is_there = next != read.end() && next->sequence == entry.on_disk->sequence;
    StatusOr<ExportRequest> adopted = absl::DataLossError("it is not in the queue's files any more");
    if (is_there) {
      adopted = encoder_->Adopt(std::move(next->request), next->form);
      ++next;
    }
    if (!adopted.ok()) {
      const EntryPtr lost = waiting_[i];
      waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i--));
      waiting_size_ -= SizeOf(lost->request, options_.sizer);
      GiveUp(lost, adopted.status());
      continue;
    }
    entry.request.message = std::move(adopted->message);
    entry.is_spilled = false;
    waiting_bytes_ += entry.request.message.size();
  }
}

void SendingQueue::State::StartNext() {
  while (active_.size() < consumers_ && !waiting_.empty()) {
    if (waiting_.front()->is_spilled) return ReadBack(waiting_.front()->on_disk->sequence);
    EntryPtr entry = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_size_ -= SizeOf(entry->request, options_.sizer);
    waiting_bytes_ -= entry->request.message.size();
    ++active_requests_;
    entry->begin_ns = clock_.SteadyNs();
    active_.insert(entry);
    Attempt(entry);
    AdmitBlocked();
  }
}

void SendingQueue::State::Attempt(const EntryPtr& entry) {
  entry->sleeping = false;
  send_(entry->request, [self = shared_from_this(), entry](const StatusOr<size_t>& rejected_spans) {
    self->OnAnswer(entry, rejected_spans);
  });
}

void SendingQueue::State::OnAnswer(const EntryPtr& entry, const StatusOr<size_t>& rejected_spans) {
  if (rejected_spans.ok()) {
    OnDelivered(entry, *rejected_spans);
  } else {
    OnFailure(entry, rejected_spans.status());
  }
  if (abandoned_) return;
  StartNext();
  NotifyIfDrained();
}

void SendingQueue::State::OnDelivered(const EntryPtr& entry, size_t rejected_spans) {
  if (std::exchange(failing_, false)) status_.ReportOk();
  const size_t rejected = std::min(rejected_spans, entry->request.spans);
  sent_.Add(entry->request.spans - rejected);
  rejected_.Add(rejected);
  End(entry, absl::OkStatus());
}

void SendingQueue::State::OnFailure(const EntryPtr& entry, const Status& status) {
  if (abandoned_) return GiveUpAtStop({entry});
  if (SendInParts(entry, status)) return;
  if (DestinationFails(status)) {
    failing_ = true;
    status_.ReportRecoverable(status);
  }
  if (retry_.enabled && IsRetryable(status) && SleepBeforeRetry(entry, status)) return;
  GiveUp(entry, status);
}

bool SendingQueue::State::SendInParts(const EntryPtr& entry, const Status& status) {
  if (!encoder_->LearnLimit(status, entry->request)) return false;
  if (entry->request.spans <= 1) {
    GiveUpAsTooLarge(entry, status);
    return true;
  }
  // A worker does it: megabytes are compressed anew.
  entry->splitting = workers_.Submit([self = shared_from_this(), entry] {
    std::vector<ExportRequest> parts = self->encoder_->Split(entry->request);
    self->loop_.Post(
        [self, entry, parts = std::move(parts)]() mutable { self->ReplaceByParts(entry, std::move(parts)); });
  });
  return entry->splitting || SleepBeforeRetry(entry, status);
}

void SendingQueue::State::ReplaceByParts(const EntryPtr& entry, std::vector<ExportRequest> parts) {
  if (abandoned_) return;
  Log(LogLevel::kInfo, "a request was larger than its destination takes and is sent in parts",
      {{"exporter", exporter_},
       {"bytes", entry->request.encoded_bytes},
       {"parts", parts.size()},
       {"limit", encoder_->request_bytes_max()}});
  std::vector<Done> dones(parts.size());
  if (entry->done) dones = JoinedDone(parts.size(), std::move(entry->done));
  if (entry->on_disk != nullptr) entry->on_disk->parts_left += parts.size() - 1;
  active_requests_ -= active_.erase(entry);
  for (size_t i = parts.size(); i-- > 0;) {
    waiting_.push_front(Counted(std::move(parts[i]), std::move(dones[i])));
    waiting_.front()->on_disk = entry->on_disk;
  }
  StartNext();
}

void SendingQueue::State::GiveUpAsTooLarge(const EntryPtr& entry, const Status& status) {
  const RequestEncoder::SpanName span = encoder_->FirstSpan(entry->request);
  Log(LogLevel::kError, "an item alone is larger than its destination takes",
      {{"exporter", exporter_},
       {"name", span.name},
       {"trace_id", span.trace_id},
       {"bytes", entry->request.encoded_bytes},
       {"error", StdView(status.message())},
       {"advice", "raise the receiver's message size limit, or shorten its attributes before"}});
  send_failed_.Add(entry->request.spans);
  if (options_.answers_early()) drops_.CountTooLarge(entry->request.spans);
  End(entry, status);
}

bool SendingQueue::State::SleepBeforeRetry(const EntryPtr& entry, const Status& status) {
  std::chrono::nanoseconds delay = entry->backoff.Next(rng_);
  if (const auto wanted = RetryDelay(status)) delay = std::max<std::chrono::nanoseconds>(delay, *wanted);
  if (draining_) delay = std::min<std::chrono::nanoseconds>(delay, kDrainDelayMax);
  const std::chrono::nanoseconds elapsed(clock_.SteadyNs() - entry->begin_ns);
  if (retry_.max_elapsed_time.count() > 0 && elapsed + delay > retry_.max_elapsed_time) return false;
  if (const auto requests = failure_log_.Admit(1)) {
    Log(LogLevel::kInfo, "Exporting failed. Will retry the request after interval.",
        {{"exporter", exporter_},
         {"requests", *requests},
         {"error", StdView(status.message())},
         {"interval_ms", delay.count() / 1'000'000}});
  }
  entry->sleeping = true;
  // The state cancels the timer before it ends; a weak pointer, because the entry owns the timer.
  entry->retry = loop_.PostAfter(delay, [this, weak = std::weak_ptr(entry)] {
    if (const EntryPtr woken = weak.lock()) Attempt(woken);
  });
  return true;
}

void SendingQueue::State::GiveUp(const EntryPtr& entry, const Status& status) {
  const size_t spans = entry->request.spans;
  send_failed_.Add(spans);
  // Else nobody was told OK: the sender decides.
  if (options_.answers_early()) drops_.Count(spans, status, kDropAdvice);
  End(entry, status);
}

void SendingQueue::State::GiveUpAtStop(const std::vector<EntryPtr>& entries) {
  uint64_t spans = 0;
  uint64_t kept_spans = 0;
  for (const EntryPtr& entry : entries) {
    (entry->on_disk == nullptr ? spans : kept_spans) += entry->request.spans;
    entry->on_disk = nullptr;  // so that it is not forgotten
    End(entry, absl::UnavailableError(StrCat("exporter ", exporter_, " is stopped")));
  }
  if (kept_spans > 0) {
    Log(LogLevel::kInfo, "what was not delivered stays on the disk, and is sent after the next start",
        {{"exporter", exporter_}, {"items", kept_spans}});
  }
  send_failed_.Add(spans);
  if (!options_.answers_early()) return;
  undelivered_spans_ += spans;
  drops_.CountShutdown(spans);
}

void SendingQueue::State::End(const EntryPtr& entry, Status status) {
  if (options_.answers_early()) held_spans_ -= entry->request.spans;
  active_requests_ -= active_.erase(entry);
  if (entry->on_disk != nullptr) Forget(*entry);
  if (entry->done) std::move(entry->done)(std::move(status));
}

void SendingQueue::State::Forget(Entry& entry) {
  const std::shared_ptr<OnDisk> on_disk = std::exchange(entry.on_disk, nullptr);
  if (--on_disk->parts_left == 0) log_->Forget(std::span(&on_disk->sequence, 1));
}

void SendingQueue::State::NotifyIfDrained() {
  if (draining_ && active_.empty() && waiting_.empty() && blocked_.empty() && writing_ == 0 &&
      !drained_.HasBeenNotified())
    drained_.Notify();
}

void SendingQueue::State::Drain() {
  draining_ = true;
  for (const EntryPtr& entry : active_) {
    if (!entry->sleeping) continue;
    entry->retry.Cancel();
    Attempt(entry);
  }
  NotifyIfDrained();
}

void SendingQueue::State::Hurry() {
  if (!drained_.HasBeenNotified()) drained_.Notify();
}

void SendingQueue::State::Abandon() {
  abandoned_ = true;
  read_again_.Cancel();
  RefuseBlocked();
  std::vector<EntryPtr> given_up(waiting_.begin(), waiting_.end());
  waiting_.clear();
  waiting_size_ = 0;
  waiting_bytes_ = 0;
  for (const EntryPtr& entry : active_) {
    if (!entry->sleeping && !entry->splitting) continue;
    entry->retry.Cancel();
    given_up.push_back(entry);
  }
  GiveUpAtStop(given_up);
}

}  // namespace spanloom::pipeline
