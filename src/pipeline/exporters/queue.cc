// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/queue.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/mutex.h"
#include "base/text.h"
#include "pipeline/drops.h"
#include "pipeline/exporters/export_counters.h"
#include "pipeline/joined_done.h"
#include "pipeline/loop_call.h"

namespace spanloom::pipeline {
namespace {

constexpr std::chrono::milliseconds kFullDelay{1'000};  // until a full queue is worth another try; guess
// Between attempts while the queue drains: what is not sent within the grace is lost; guess.
constexpr std::chrono::milliseconds kDrainDelayMax{250};
// How many requests may be under way at once without a queue, where each has a client that waits; guess.
constexpr size_t kUnqueuedConsumers = 100;
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

// What several requests are together.
struct Total {
  size_t size = 0;  // by the sizer
  size_t bytes = 0;
  size_t spans = 0;
};

Total TotalOf(const std::vector<ExportRequest>& requests, SendingQueueOptions::Sizer sizer) {
  Total total;
  for (const ExportRequest& request : requests) {
    total.size += SizeOf(request, sizer);
    total.bytes += request.message.size();
    total.spans += request.spans;
  }
  return total;
}

}  // namespace

void SendingQueueOptions::Declare(config::OptionsReader& r) {
  static constexpr std::pair<std::string_view, Sizer> kSizers[] = {
      {"requests", Sizer::kRequests}, {"items", Sizer::kItems}, {"bytes", Sizer::kBytes}};
  r.Field("enabled", enabled, "Whether requests are queued in memory; without it a sender waits for the destination.");
  r.Field("num_consumers", num_consumers, "Requests that are under way at once.",
          {.min = 1, .max = 1'000, .unit = "requests"});
  r.Field("queue_size", queue_size, "How much may wait, counted by sizer; what exceeds it is refused.",
          {.min = 1, .max = int64_t{1} << 40, .unit = "as sizer says"});
  r.Choice<Sizer>("sizer", sizer, kSizers,
                  "What queue_size counts: requests, items (spans), or bytes before compression.");
  r.Field("block_on_overflow", block_on_overflow,
          "Whether a sender waits for room in a full queue instead of being refused.");
  r.Field("wait_for_result", wait_for_result,
          "Whether a sender is answered only when the destination has answered, and with its answer.");
  r.Unsupported("storage", "remove it; the queue is kept in memory");
  r.Unsupported("batch", "remove it; put a batch processor in front of this exporter");
}

// Everything but the atomics and counters is bound to `loop_`.
class SendingQueue::State : public std::enable_shared_from_this<SendingQueue::State> {
 public:
  State(std::string exporter, std::shared_ptr<RequestEncoder> encoder, const SendingQueueOptions& options,
        const RetryOptions& retry, const BuildContext& context, net::Loop& loop, SendOnce send)
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
        rejected_(RejectedItems(context.metrics, exporter_, context.signal)) {}

  [[nodiscard]] net::Loop& loop() { return loop_; }
  [[nodiscard]] Notification& drained() { return drained_; }
  [[nodiscard]] uint64_t undelivered_spans() const { return undelivered_spans_.load(); }
  [[nodiscard]] uint64_t held_spans() const { return held_spans_.load(); }
  [[nodiscard]] size_t waiting_size() const { return waiting_size_.load(); }
  [[nodiscard]] size_t active_requests() const { return active_requests_.load(); }
  [[nodiscard]] bool IsFull() const {
    const bool full = waiting_size_ >= capacity() || waiting_bytes_ >= kQueueBytesMax;
    return full && !(options_.block_on_overflow && blocked_bytes_ < kBlockedBytesMax);
  }
  Status Refuse(size_t spans);

  void Add(std::vector<ExportRequest> requests, Done done);
  void Drain();
  void Abandon();
  // Whoever waits for drained() waits no longer.
  void Hurry();

 private:
  // A request with its history. Owned by waiting_ or active_, and by the attempt under way.
  struct Entry {
    Entry(ExportRequest taken, Done on_end, const RetryOptions& retry)
        : request(std::move(taken)), done(std::move(on_end)), backoff(retry.Backoff()) {}
    ExportRequest request;
    Done done;  // empty if the queue has answered already
    RetryBackoff backoff;
    int64_t begin_ns = 0;    // steady time of the first attempt
    bool sleeping = false;   // waits for `retry`
    bool splitting = false;  // a worker cuts it up
    net::Timer retry;
  };
  using EntryPtr = std::shared_ptr<Entry>;
  // What waits for room, to be admitted together.
  struct Blocked {
    std::vector<ExportRequest> requests;
    Total total;
    Done done;
  };

  [[nodiscard]] size_t capacity() const { return static_cast<size_t>(options_.queue_size); }
  [[nodiscard]] bool HasRoomFor(const Total& total) const;
  Status RefuseAsTooLarge(const Total& total);
  void Block(std::vector<ExportRequest> requests, const Total& total, Done done);
  void Enqueue(std::vector<ExportRequest> requests, Done done);
  EntryPtr Counted(ExportRequest request, Done done);
  void AdmitBlocked();
  void RefuseBlocked();
  void StartNext();
  void Attempt(const EntryPtr& entry);
  void OnAnswer(const EntryPtr& entry, const StatusOr<size_t>& rejected_spans);
  void OnDelivered(const EntryPtr& entry, size_t rejected_spans);
  void OnFailure(const EntryPtr& entry, const Status& status);
  bool SendInParts(const EntryPtr& entry, const Status& status);
  void ReplaceByParts(const EntryPtr& entry, std::vector<ExportRequest> parts);
  void GiveUpAsTooLarge(const EntryPtr& entry, const Status& status);
  bool SleepBeforeRetry(const EntryPtr& entry, const Status& status);
  void GiveUp(const EntryPtr& entry, const Status& status);
  void GiveUpAtStop(const std::vector<EntryPtr>& entries);
  void End(const EntryPtr& entry, Status status);
  void NotifyIfDrained();

  const std::string exporter_;
  const std::shared_ptr<RequestEncoder> encoder_;  // shared with the queue
  const SendingQueueOptions options_;
  const RetryOptions retry_;
  const size_t consumers_;
  const Clock& clock_;
  net::Loop& loop_;
  WorkerPool& workers_;
  const SendOnce send_;
  Rng rng_;
  DropCounter drops_;
  const StatusReporter status_;
  LogLimiter failure_log_;
  Counter& sent_;
  Counter& send_failed_;
  Counter& enqueue_failed_;
  Counter& rejected_;
  Notification drained_;
  std::atomic<uint64_t> undelivered_spans_ = 0;
  std::atomic<uint64_t> held_spans_ = 0;
  std::atomic<size_t> waiting_size_ = 0;  // by the sizer
  std::atomic<size_t> waiting_bytes_ = 0;
  std::atomic<size_t> blocked_bytes_ = 0;
  std::atomic<size_t> active_requests_ = 0;

  std::deque<Blocked> blocked_;
  std::deque<EntryPtr> waiting_;
  std::set<EntryPtr> active_;  // at most consumers_
  bool failing_ = false;       // the destination is; reported
  bool draining_ = false;
  bool abandoned_ = false;
};

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
  const Total total = TotalOf(requests, options_.sizer);
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

void SendingQueue::State::StartNext() {
  while (active_.size() < consumers_ && !waiting_.empty()) {
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
  active_requests_ -= active_.erase(entry);
  for (size_t i = parts.size(); i-- > 0;) waiting_.push_front(Counted(std::move(parts[i]), std::move(dones[i])));
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
  for (const EntryPtr& entry : entries) {
    spans += entry->request.spans;
    End(entry, absl::UnavailableError(StrCat("exporter ", exporter_, " is stopped")));
  }
  send_failed_.Add(spans);
  if (!options_.answers_early()) return;
  undelivered_spans_ += spans;
  drops_.CountShutdown(spans);
}

void SendingQueue::State::End(const EntryPtr& entry, Status status) {
  if (options_.answers_early()) held_spans_ -= entry->request.spans;
  active_requests_ -= active_.erase(entry);
  if (entry->done) std::move(entry->done)(std::move(status));
}

void SendingQueue::State::NotifyIfDrained() {
  if (draining_ && active_.empty() && waiting_.empty() && blocked_.empty() && !drained_.HasBeenNotified())
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

SendingQueue::SendingQueue(std::string exporter, std::shared_ptr<RequestEncoder> encoder,
                           const SendingQueueOptions& options, const RetryOptions& retry, const BuildContext& context,
                           net::Loop& loop, SendOnce send)
    : options_(options),
      encoder_(std::move(encoder)),
      state_(std::make_shared<State>(exporter, encoder_, options, retry, context, loop, std::move(send))) {
  const MetricLabels labels = {{"exporter", std::move(exporter)},
                               {"data_type", std::string(otlp::SignalText(context.signal))}};
  const auto add = [&](std::string_view name, std::string_view help, std::function<double()> read) {
    gauges_.push_back(context.metrics.AddGauge(name, help, labels, std::move(read)));
  };
  add("otelcol_exporter_queue_capacity", "Fixed capacity of the sending queue (by its sizer).",
      [size = options.queue_size] { return static_cast<double>(size); });
  add("otelcol_exporter_queue_size", "Current size of the sending queue (by its sizer).",
      [state = state_] { return static_cast<double>(state->waiting_size()); });
  add("otelcol_exporter_in_flight_requests", "Number of requests in flight, those that wait to be sent again included.",
      [state = state_] { return static_cast<double>(state->active_requests()); });
  add(StrCat("spanloom_exporter_held_", otlp::ItemsText(context.signal)),
      "Items that were answered OK and wait or are in flight.",
      [state = state_] { return static_cast<double>(state->held_spans()); });
}

SendingQueue::~SendingQueue() {
  // Timers end on their loop.
  RunOn(state_->loop(), [this] { state_->Abandon(); });
}

void SendingQueue::Consume(const otlp::Batch& batch, Done done) {
  if (state_->IsFull()) return std::move(done)(state_->Refuse(batch.span_count()));
  Offer(encoder_->Encode(batch), std::move(done));
}

void SendingQueue::Offer(std::vector<ExportRequest> requests, Done done) {
  if (requests.empty()) return std::move(done)(absl::OkStatus());
  state_->loop().Post([state = state_, requests = std::move(requests), done = std::move(done)]() mutable {
    state->Add(std::move(requests), std::move(done));
  });
}

bool SendingQueue::IsFull() const {
  return state_->IsFull();
}

void SendingQueue::Stop(std::chrono::milliseconds grace) {
  state_->loop().Post([state = state_] { state->Drain(); });
  state_->drained().WaitFor(grace);
  RunOn(state_->loop(), [this] { state_->Abandon(); });
}

void SendingQueue::HurryStop() {
  state_->loop().Post([state = state_] { state->Hurry(); });
}

uint64_t SendingQueue::undelivered_spans() const {
  return state_->undelivered_spans();
}

AckGrade SendingQueue::ack_grade() const {
  return options_.answers_early() ? AckGrade::kQueued : AckGrade::kDelivered;
}

HoldLimits SendingQueue::hold_limits() const {
  const auto size = static_cast<uint64_t>(options_.queue_size);
  HoldLimits limits{.bytes = kQueueBytesMax};
  if (options_.sizer == SendingQueueOptions::Sizer::kRequests) limits.requests = size;
  if (options_.sizer == SendingQueueOptions::Sizer::kItems) limits.spans = size;
  if (options_.sizer == SendingQueueOptions::Sizer::kBytes) limits.bytes = std::min<uint64_t>(size, kQueueBytesMax);
  return limits;
}

}  // namespace spanloom::pipeline
