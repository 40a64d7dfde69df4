// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/queue_state.h"

#include <absl/algorithm/container.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "pipeline/joined_done.h"

namespace spanloom::pipeline {
namespace {

constexpr std::chrono::milliseconds kFullDelay{1'000};  // until a full queue is worth another try; guess
// How many requests may be under way at once without a queue, where each has a client that waits; guess.
constexpr size_t kUnqueuedConsumers = 100;
// Batches that workers have, of which whoever sent them was told OK: enough for all cores, few enough to hold a fast
// sender back; guess.
constexpr size_t kAnsweredAheadMax = 4;
constexpr size_t kReadBackBytes = 8 << 20;  // of messages that are read from the disk at once; guess

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

}  // namespace

SendingQueue::State::State(const std::string& exporter, const std::shared_ptr<RequestEncoder>& encoder,
                           const SendingQueueOptions& options, const RetryOptions& retry, const BuildContext& context,
                           net::Loop& loop, SendOnce send)
    : exporter_(exporter),
      encoder_(encoder),
      options_(options),
      loop_(loop),
      workers_(context.loops.workers()),
      clock_(context.clock),
      status_(context.status),
      failure_log_(context.clock),
      ledger_(std::make_shared<QueueLedger>(exporter, options, retry, context)),
      sender_(std::make_shared<RequestSender>(
          exporter, options.enabled ? static_cast<size_t>(options.num_consumers) : kUnqueuedConsumers, retry, encoder,
          ledger_, context, loop, std::move(send), [this] { OnProgress(); })),
      intake_(std::make_shared<const QueueIntake>(encoder, options.sizer, std::nullopt, false)) {
  if (options.batch) SetGrouping(options.batch->ToGrouping(), false);
}

std::shared_ptr<const QueueIntake> SendingQueue::State::intake() const {
  const MutexLock lock(mutex_);
  return intake_;
}

// In the constructor, or on the loop.
void SendingQueue::State::SetGrouping(const std::optional<Grouping>& grouping, bool counts_groups) {
  grouping_as_ = grouping;
  grouper_.reset();
  if (grouping) grouper_.emplace(*grouping, encoder_->form().signal);
  auto intake = std::make_shared<const QueueIntake>(encoder_, options_.sizer, grouping, counts_groups);
  const MutexLock lock(mutex_);
  intake_ = std::move(intake);
}

void SendingQueue::State::GroupAs(const std::optional<Grouping>& grouping) {
  if (options_.batch || abandoned_ || grouping == grouping_as_) return;
  while (grouper_) {
    std::optional<RequestGroup> group = grouper_->TakeOverdue(clock_.SteadyNs(), true);
    if (!group) break;
    SendGroup(*std::move(group));
  }
  SetGrouping(grouping, true);
  StartNext();
}

SendingQueue::State::Total SendingQueue::State::TotalOf(const std::vector<ExportRequest>& requests) const {
  const std::shared_ptr<const QueueIntake> measure = intake();
  Total total;
  for (const ExportRequest& request : requests) {
    total.size += measure->SizeOf(request.spans, request.encoded_bytes);
    total.bytes += request.message.size();
    total.spans += request.spans;
  }
  return total;
}

SendingQueue::State::Total SendingQueue::State::TotalOf(const otlp::Batch& batch) const {
  const size_t bytes = batch.wire_bytes();
  return {.size = intake()->SizeOf(batch.span_count(), bytes), .bytes = bytes, .spans = batch.span_count()};
}

StatusOr<size_t> SendingQueue::State::Reserve(const otlp::Batch& batch) {
  const Total total = TotalOf(batch);
  const size_t size = total.size;
  if (size > capacity()) return RefuseAsTooLarge(total);
  const size_t others = reserved_size_.fetch_add(size);
  if (queue_size_ + others + size <= capacity() && waiting_bytes_ < kQueueBytesMax) return size;
  GiveBack(size);
  return Refuse(batch.span_count());
}

Status SendingQueue::State::Refuse(size_t spans) {
  const Status full = absl::UnavailableError(StrCat("exporter ", exporter_, ": sending queue is full (queue_size ",
                                                    options_.queue_size, " ", UnitOf(options_.sizer), ")"));
  ledger_->Refused(spans, full);
  return WithRetryDelay(full, kFullDelay);
}

Status SendingQueue::State::RefuseAsTooLarge(const Total& total) {
  const Status too_large = absl::ResourceExhaustedError(
      StrCat("exporter ", exporter_, ": a request of ", total.size / QueueIntake::UnitsOf(options_.sizer), " ",
             UnitOf(options_.sizer), " is larger than its queue_size of ", options_.queue_size));
  ledger_->Refused(total.spans, too_large);
  return too_large;
}

bool SendingQueue::State::HasRoomFor(const Total& total) const {
  return queue_size_ + reserved_size_ + total.size <= capacity() && waiting_bytes_ < kQueueBytesMax;
}

void SendingQueue::State::TakeIn(const otlp::Batch& batch, size_t reserved, Done done) {
  const std::shared_ptr<const QueueIntake> how = intake();
  if (how->IsQuick(batch)) {
    return TakeIn(how->Encode(batch), how->encoder().form(), reserved, std::move(done));
  }
  loop_.Post([self = shared_from_this(), batch = otlp::Batch(batch), reserved, done = std::move(done)]() mutable {
    const Total total = self->TotalOf(batch);
    self->Admit({.unencoded = std::move(batch), .total = total, .reserved = reserved, .done = std::move(done)});
  });
}

void SendingQueue::State::TakeIn(std::vector<ExportRequest> requests, const RequestForm& form, size_t reserved,
                                 Done done) {
  loop_.Post([self = shared_from_this(), requests = std::move(requests), form, reserved,
              done = std::move(done)]() mutable {
    const Total total = self->TotalOf(requests);
    self->Admit(
        {.requests = std::move(requests), .form = form, .total = total, .reserved = reserved, .done = std::move(done)});
  });
}

void SendingQueue::State::Admit(Offered offered) {
  const size_t reserved = offered.reserved;
  if (abandoned_) {
    std::move(offered.done)(Stopped());
  } else if (reserved > 0) {
    Enqueue(std::move(offered));
  } else if (offered.total.size > capacity()) {
    std::move(offered.done)(RefuseAsTooLarge(offered.total));
  } else if (!blocked_.empty() || !HasRoomFor(offered.total)) {
    Block(std::move(offered));
  } else {
    Enqueue(std::move(offered));
  }
  GiveBack(reserved);
  StartNext();
}

void SendingQueue::State::Block(Offered offered) {
  if (!options_.block_on_overflow || blocked_bytes_ + offered.total.bytes > kBlockedBytesMax) {
    return std::move(offered.done)(Refuse(offered.total.spans));
  }
  blocked_bytes_ += offered.total.bytes;
  blocked_.push_back(std::move(offered));
}

void SendingQueue::State::AdmitBlocked() {
  while (!blocked_.empty() && HasRoomFor(blocked_.front().total)) {
    Offered admitted = std::move(blocked_.front());
    blocked_.pop_front();
    blocked_bytes_ -= admitted.total.bytes;
    Enqueue(std::move(admitted));
  }
}

void SendingQueue::State::RefuseBlocked() {
  for (Offered& refused : std::exchange(blocked_, {})) std::move(refused.done)(Stopped());
  blocked_bytes_ = 0;
}

void SendingQueue::State::Enqueue(Offered offered) {
  if (!offered.unencoded.empty()) return Encode(std::move(offered));
  if (log_ != nullptr) return WriteToLog(std::move(offered));
  const bool answers_early = options_.answers_early();
  std::vector<Done> answers(offered.requests.size());
  if (!answers_early) answers = JoinedDone(offered.requests.size(), std::move(offered.done));
  for (size_t i = 0; i < answers.size(); ++i) {
    waiting_.push_back(
        Counted({.request = std::move(offered.requests[i]), .form = offered.form, .done = std::move(answers[i])}));
  }
  if (answers_early) AnswerEarly(offered.total.spans, std::move(offered.done));
}

void SendingQueue::State::AnswerEarly(size_t spans, Done done) {
  if (!done) return;
  ledger_->Took(spans);
  std::move(done)(absl::OkStatus());
}

// Room is kept meanwhile. The first few are answered at once, so that what is offered next is encoded beside them.
void SendingQueue::State::Encode(Offered offered) {
  const Total total = offered.total;
  const bool answers_now = options_.answers_early() && log_ == nullptr && encoding_ < kAnsweredAheadMax;
  // Whoever finds no worker is told to come again.
  const auto done = std::make_shared<Done>(std::move(offered.done));
  const bool begun = workers_.Submit([self = shared_from_this(), total, done, batch = std::move(offered.unencoded)] {
    const std::shared_ptr<const QueueIntake> intake = self->intake();
    std::vector<ExportRequest> requests = intake->Encode(batch);
    self->loop_.Post([self, total, done, form = intake->encoder().form(), requests = std::move(requests)]() mutable {
      self->OnEncoded({.requests = std::move(requests), .form = form, .total = total, .done = std::move(*done)});
    });
  });
  if (!begun) return std::move(*done)(Refuse(total.spans));
  queue_size_ += total.size;
  waiting_bytes_ += total.bytes;
  ++encoding_;
  if (!answers_now) return;
  encoding_spans_ += total.spans;
  AnswerEarly(total.spans, std::exchange(*done, nullptr));
}

void SendingQueue::State::OnEncoded(Offered encoded) {
  --encoding_;
  queue_size_ -= encoded.total.size;
  waiting_bytes_ -= encoded.total.bytes;
  if (abandoned_) {
    // Who was answered has been counted.
    if (encoded.done) std::move(encoded.done)(Stopped());
    return;
  }
  if (!encoded.done) encoding_spans_ -= encoded.total.spans;
  encoded.total = TotalOf(encoded.requests);
  Enqueue(std::move(encoded));
  OnProgress();
}

QueuedRequestPtr SendingQueue::State::Counted(QueuedRequest entry) {
  entry.size = intake()->SizeOf(entry.request.spans, entry.request.encoded_bytes);
  queue_size_ += entry.size;
  waiting_bytes_ += entry.request.message.size();
  return std::make_shared<QueuedRequest>(std::move(entry));
}

void SendingQueue::State::KeepIn(const std::shared_ptr<RequestLog>& log) {
  log_ = log;
  ledger_->LostOnDisk(log->lost_requests());
  size_t spans = 0;
  for (const RequestLog::Waiting& found : log->found()) {
    waiting_.push_back(Counted({.request = {.message = {}, .spans = found.spans, .encoded_bytes = found.encoded_bytes},
                                .sequence = found.sequence,
                                .is_spilled = true,
                                .is_overdue = true}));
    spans += found.spans;
  }
  ledger_->Took(spans);
  if (!waiting_.empty()) {
    Log(LogLevel::kInfo, "requests of before the start are sent first",
        {{"exporter", exporter_}, {"requests", waiting_.size()}, {"items", spans}});
  }
  StartNext();
}

// Room is kept meanwhile. A request is in the queue when it is on the disk.
void SendingQueue::State::WriteToLog(Offered offered) {
  queue_size_ += offered.total.size;
  waiting_bytes_ += offered.total.bytes;
  ++writing_;
  std::vector<ExportRequest> to_write = offered.requests;
  const RequestForm form = offered.form;
  auto written = [self = shared_from_this(),
                  offered = std::move(offered)](StatusOr<std::vector<uint64_t>> sequences) mutable {
    self->loop_.Post([self, offered = std::move(offered), sequences = std::move(sequences)]() mutable {
      self->OnWritten(std::move(offered), sequences);
    });
  };
  log_->Append(std::move(to_write), form, std::move(written));
}

void SendingQueue::State::OnWritten(Offered offered, const StatusOr<std::vector<uint64_t>>& sequences) {
  const Total& total = offered.total;
  --writing_;
  queue_size_ -= total.size;
  waiting_bytes_ -= total.bytes;
  if (!sequences.ok()) {
    const Status why = Annotate(sequences.status(), StrCat("exporter ", exporter_, ": the storage of its queue fails"));
    ledger_->Refused(total.spans, why);
    is_log_failing_ = true;
    status_.ReportRecoverable(sequences.status());
    std::move(offered.done)(WithRetryDelay(absl::UnavailableError(why.message()), kFullDelay));
    return NotifyIfDrained();
  }
  if (std::exchange(is_log_failing_, false)) status_.ReportOk();
  for (size_t i = 0; i < offered.requests.size() && !abandoned_; ++i) {
    ledger_->Took(offered.requests[i].spans);
    QueuedRequestPtr entry =
        Counted({.request = std::move(offered.requests[i]), .form = offered.form, .sequence = (*sequences)[i]});
    if (waiting_bytes_ > kSpillBytes) Spill(*entry);
    waiting_.push_back(std::move(entry));
  }
  std::move(offered.done)(absl::OkStatus());
  if (abandoned_) return;
  StartNext();
  NotifyIfDrained();
}

void SendingQueue::State::Spill(QueuedRequest& entry) {
  waiting_bytes_ -= entry.request.message.size();
  entry.request.message = {};
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
    const QueuedRequestPtr entry = waiting_[i];
    if (!entry->is_spilled) continue;
    if (next == read.end() && i > 0) return;
    if (next == read.end() || next->sequence != entry->sequence) {
      waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i--));
      UncountBytes(*entry);
      GiveUp(*entry, absl::DataLossError("it is not in the queue's files any more"));
      continue;
    }
    entry->request.message = std::move(next->request.message);
    entry->form = next->form;
    entry->is_spilled = false;
    waiting_bytes_ += entry->request.message.size();
    ++next;
  }
}

void SendingQueue::State::GiveUp(QueuedRequest& entry, const Status& why) {
  ledger_->GaveUp(entry.request.spans, why, "");
  OnEnded(entry, why);
}

void SendingQueue::State::StartNext() {
  grouper_ ? GroupNext() : SendNext();
}

// The front of what waits, which waits no longer; null if there is nothing, or it is read from the disk first.
QueuedRequestPtr SendingQueue::State::TakeFront() {
  if (waiting_.empty()) return nullptr;
  const QueuedRequestPtr entry = waiting_.front();
  if (entry->is_spilled) {
    ReadBack(entry->sequence);
    return nullptr;
  }
  waiting_.pop_front();
  UncountBytes(*entry);
  if (!options_.enabled) queue_size_ -= std::exchange(entry->size, 0);
  return entry;
}

// Messages are in another form only after the configuration has changed.
bool SendingQueue::State::Convert(QueuedRequest& entry, const RequestEncoder& encoder) {
  StatusOr<ExportRequest> adopted = encoder.Adopt(std::move(entry.request), entry.form);
  if (!adopted.ok()) {
    GiveUp(entry, adopted.status());
    return false;
  }
  entry.request = *std::move(adopted);
  entry.form = encoder.form();
  return true;
}

void SendingQueue::State::SendNext() {
  while (sender_->free_places() > 0) {
    const QueuedRequestPtr entry = TakeFront();
    if (entry == nullptr) return;
    if (Convert(*entry, *encoder_)) {
      sender_->Send(std::move(entry->request),
                    [self = shared_from_this(), entry](Status status) { self->OnEnded(*entry, std::move(status)); });
    }
    AdmitBlocked();
  }
}

void SendingQueue::State::GroupNext() {
  const std::shared_ptr<const QueueIntake> plain = intake();
  while (grouping_ < sender_->free_places()) {
    if (std::optional<RequestGroup> group = grouper_->TakeFull(clock_.SteadyNs())) {
      SendGroup(*std::move(group));
    } else if (const QueuedRequestPtr entry = TakeFront()) {
      if (Convert(*entry, plain->encoder())) grouper_->Add(entry, clock_.SteadyNs());
      AdmitBlocked();
    } else if (group = grouper_->TakeOverdue(clock_.SteadyNs(), draining_ && waiting_.empty()); group) {
      SendGroup(*std::move(group));
    } else {
      return AwaitGroup();
    }
  }
}

void SendingQueue::State::AwaitGroup() {
  const std::optional<int64_t> due_ns = grouper_->due_ns();
  if (!due_ns) return group_due_.Cancel();
  const std::chrono::nanoseconds wait(std::max<int64_t>(0, *due_ns - clock_.SteadyNs()));
  group_due_ = loop_.PostAfter(wait, [this] { OnProgress(); });
}

void SendingQueue::State::SendGroup(RequestGroup group) {
  ++grouping_;
  const size_t spans = group.batch.span_count();
  grouping_spans_ += spans;
  // Shared by the two who may call it, once.
  const auto encode =
      std::make_shared<WorkerPool::Task>([self = shared_from_this(), spans, group = std::move(group)]() mutable {
        std::vector<ExportRequest> requests = self->encoder_->Encode(std::move(group.batch));
        self->loop_.Post([self, spans, shares = std::move(group.shares), requests = std::move(requests)]() mutable {
          self->OnGroupEncoded(spans, shares, std::move(requests));
        });
      });
  // Without a free worker the loop does it: that holds back those who bring more.
  if (!workers_.Submit([encode] { (*encode)(); })) (*encode)();
}

void SendingQueue::State::OnGroupEncoded(size_t spans, const std::vector<RequestGroup::Share>& shares,
                                         std::vector<ExportRequest> requests) {
  --grouping_;
  if (abandoned_) return EndShares(shares, Stopped());  // which has counted them
  grouping_spans_ -= spans;
  std::vector<Done> ended = JoinedDone(
      requests.size(), [self = shared_from_this(), shares](const Status& status) { self->EndShares(shares, status); });
  for (size_t i = 0; i < requests.size(); ++i) sender_->Send(std::move(requests[i]), std::move(ended[i]));
  OnProgress();
}

// A request of which some spans were given up ends with the first reason.
void SendingQueue::State::EndShares(const std::vector<RequestGroup::Share>& shares, const Status& status) {
  for (const RequestGroup::Share& share : shares) {
    QueuedRequest& request = *share.request;
    request.status.Update(status);
    request.spans_left -= share.spans;
    if (request.spans_left == 0) OnEnded(request, request.status);
  }
}

void SendingQueue::State::OnEnded(QueuedRequest& entry, Status status) {
  queue_size_ -= std::exchange(entry.size, 0);
  // What a stop has cut off stays on the disk.
  if (log_ != nullptr && (status.ok() || !abandoned_)) log_->Forget(std::span(&entry.sequence, 1));
  if (entry.done) std::move(entry.done)(std::move(status));
}

void SendingQueue::State::OnProgress() {
  AdmitBlocked();
  StartNext();
  NotifyIfDrained();
}

void SendingQueue::State::NotifyIfDrained() {
  const bool is_encoding = encoding_ > 0 || writing_ > 0 || grouping_ > 0 || (grouper_ && !grouper_->empty());
  const bool is_idle = sender_->is_idle() && waiting_.empty() && blocked_.empty() && !is_encoding;
  if (draining_ && is_idle && !drained_.HasBeenNotified()) drained_.Notify();
}

void SendingQueue::State::Drain() {
  draining_ = true;
  sender_->Hurry();
  OnProgress();
}

void SendingQueue::State::Hurry() {
  if (!drained_.HasBeenNotified()) drained_.Notify();
}

void SendingQueue::State::Abandon() {
  abandoned_ = true;
  read_again_.Cancel();
  group_due_.Cancel();
  RefuseBlocked();
  size_t spans = sender_->Abandon() + std::exchange(encoding_spans_, 0) + std::exchange(grouping_spans_, 0);
  if (grouper_) {
    spans += grouper_->span_count();
    EndShares(grouper_->TakeAll(), Stopped());
  }
  for (const QueuedRequestPtr& entry : std::exchange(waiting_, {})) {
    UncountBytes(*entry);
    spans += entry->request.spans;
    OnEnded(*entry, Stopped());
  }
  ledger_->GaveUpAtStop(spans);
  if (sender_->is_idle()) ledger_->ReportStop();  // else the sender does, at the end
}

}  // namespace spanloom::pipeline
