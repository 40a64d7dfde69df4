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
#include "pipeline/loop_call.h"

namespace spanloom::pipeline {
namespace {

constexpr std::chrono::milliseconds kFullDelay{1'000};  // until a full queue is worth another try; guess
// How many requests may be under way at once without a queue, where each has a client that waits; guess.
constexpr size_t kUnqueuedConsumers = 100;
constexpr std::string_view kDropAdvice =
    "see the error of the destination; a longer outage needs a larger max_elapsed_time and queue_size";

}  // namespace

void SendingQueueOptions::Declare(config::OptionsReader& r) {
  r.Field("enabled", enabled, "Whether requests are queued in memory; without it a sender waits for the destination.");
  r.Field("num_consumers", num_consumers, "Requests that are under way at once.",
          {.min = 1, .max = 1'000, .unit = "requests"});
  r.Field("queue_size", queue_size, "Requests that may wait; further ones are refused.",
          {.min = 1, .max = 1'000'000, .unit = "requests"});
  for (const char* name : {"storage", "batch", "sizer", "wait_for_result", "block_on_overflow"}) {
    r.Unsupported(name, "remove it; the queue is kept in memory and counted in requests");
  }
}

// Everything but the atomics and counters is bound to `loop_`.
class SendingQueue::State : public std::enable_shared_from_this<SendingQueue::State> {
 public:
  State(std::string exporter, const SendingQueueOptions& options, const RetryOptions& retry,
        const BuildContext& context, net::Loop& loop, SendOnce send)
      : exporter_(std::move(exporter)),
        options_(options),
        retry_(retry),
        consumers_(options.enabled ? static_cast<size_t>(options.num_consumers) : kUnqueuedConsumers),
        clock_(context.clock),
        loop_(loop),
        send_(std::move(send)),
        rng_(context.seed),
        drops_("exporter", exporter_, context.metrics, context.clock),
        failure_log_(context.clock),
        sent_(SentSpans(context.metrics, exporter_)),
        send_failed_(SendFailedSpans(context.metrics, exporter_)),
        enqueue_failed_(EnqueueFailedSpans(context.metrics, exporter_)),
        rejected_(RejectedSpans(context.metrics, exporter_)) {}

  [[nodiscard]] net::Loop& loop() { return loop_; }
  [[nodiscard]] Notification& drained() { return drained_; }
  [[nodiscard]] uint64_t undelivered_spans() const { return undelivered_spans_.load(); }
  [[nodiscard]] uint64_t held_spans() const { return held_spans_.load(); }
  [[nodiscard]] size_t waiting_requests() const { return waiting_requests_.load(); }
  [[nodiscard]] size_t active_requests() const { return active_requests_.load(); }
  [[nodiscard]] bool IsFull() const {
    return waiting_requests_ >= static_cast<size_t>(options_.queue_size) || waiting_bytes_ >= kQueueBytesMax;
  }
  Status Refuse(size_t spans);

  void Add(ExportRequest request, Done done);
  void Drain();
  void Abandon();

 private:
  // A request with its history. Owned by waiting_ or active_, and by the attempt under way.
  struct Entry {
    Entry(ExportRequest taken, Done on_end, const RetryOptions& retry)
        : request(std::move(taken)), done(std::move(on_end)), backoff(retry) {}
    ExportRequest request;
    Done done;  // empty if the queue has answered already
    RetryBackoff backoff;
    int64_t begin_ns = 0;   // steady time of the first attempt
    bool sleeping = false;  // waits for `retry`
    net::Timer retry;
  };
  using EntryPtr = std::shared_ptr<Entry>;

  void StartNext();
  void Attempt(const EntryPtr& entry);
  void OnAnswer(const EntryPtr& entry, const StatusOr<size_t>& rejected_spans);
  void OnDelivered(const EntryPtr& entry, size_t rejected_spans);
  void OnFailure(const EntryPtr& entry, const Status& status);
  bool SleepBeforeRetry(const EntryPtr& entry, const Status& status);
  void GiveUp(const EntryPtr& entry, const Status& status);
  void GiveUpAtStop(const std::vector<EntryPtr>& entries);
  void End(const EntryPtr& entry, Status status);
  void NotifyIfDrained();

  const std::string exporter_;
  const SendingQueueOptions options_;
  const RetryOptions retry_;
  const size_t consumers_;
  const Clock& clock_;
  net::Loop& loop_;
  const SendOnce send_;
  Rng rng_;
  DropCounter drops_;
  LogLimiter failure_log_;
  Counter& sent_;
  Counter& send_failed_;
  Counter& enqueue_failed_;
  Counter& rejected_;
  Notification drained_;
  std::atomic<uint64_t> undelivered_spans_ = 0;
  std::atomic<uint64_t> held_spans_ = 0;
  std::atomic<size_t> waiting_requests_ = 0;
  std::atomic<size_t> waiting_bytes_ = 0;
  std::atomic<size_t> active_requests_ = 0;

  std::deque<EntryPtr> waiting_;
  std::set<EntryPtr> active_;  // at most consumers_
  bool draining_ = false;
  bool abandoned_ = false;
};

Status SendingQueue::State::Refuse(size_t spans) {
  enqueue_failed_.Add(spans);
  return WithRetryDelay(absl::UnavailableError(StrCat("exporter ", exporter_, ": sending queue is full (queue_size ",
                                                      options_.queue_size, " requests)")),
                        kFullDelay);
}

void SendingQueue::State::Add(ExportRequest request, Done done) {
  if (abandoned_) return std::move(done)(absl::UnavailableError(StrCat("exporter ", exporter_, " is stopped")));
  if (IsFull()) return std::move(done)(Refuse(request.spans));
  ++waiting_requests_;
  waiting_bytes_ += request.message.size();
  held_spans_ += request.spans;
  Done on_end = options_.enabled ? Done() : std::exchange(done, Done());
  waiting_.push_back(std::make_shared<Entry>(std::move(request), std::move(on_end), retry_));
  if (options_.enabled) std::move(done)(absl::OkStatus());
  StartNext();
}

void SendingQueue::State::StartNext() {
  while (active_.size() < consumers_ && !waiting_.empty()) {
    EntryPtr entry = std::move(waiting_.front());
    waiting_.pop_front();
    --waiting_requests_;
    ++active_requests_;
    waiting_bytes_ -= entry->request.message.size();
    entry->begin_ns = clock_.SteadyNs();
    active_.insert(entry);
    Attempt(entry);
  }
}

void SendingQueue::State::Attempt(const EntryPtr& entry) {
  entry->sleeping = false;
  send_(entry->request.message, [self = shared_from_this(), entry](const StatusOr<size_t>& rejected_spans) {
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
  const size_t rejected = std::min(rejected_spans, entry->request.spans);
  sent_.Add(entry->request.spans - rejected);
  rejected_.Add(rejected);
  End(entry, absl::OkStatus());
}

void SendingQueue::State::OnFailure(const EntryPtr& entry, const Status& status) {
  if (abandoned_) return GiveUpAtStop({entry});
  if (retry_.enabled && IsRetryable(status) && SleepBeforeRetry(entry, status)) return;
  GiveUp(entry, status);
}

bool SendingQueue::State::SleepBeforeRetry(const EntryPtr& entry, const Status& status) {
  std::chrono::nanoseconds delay = entry->backoff.Next(rng_);
  if (const auto wanted = RetryDelay(status)) delay = std::max<std::chrono::nanoseconds>(delay, *wanted);
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
  // Without a queue nobody was told OK: the sender decides.
  if (options_.enabled) drops_.Count(spans, status, kDropAdvice);
  End(entry, status);
}

void SendingQueue::State::GiveUpAtStop(const std::vector<EntryPtr>& entries) {
  uint64_t spans = 0;
  for (const EntryPtr& entry : entries) {
    spans += entry->request.spans;
    End(entry, absl::UnavailableError(StrCat("exporter ", exporter_, " is stopped")));
  }
  send_failed_.Add(spans);
  if (!options_.enabled) return;
  undelivered_spans_ += spans;
  drops_.CountShutdown(spans);
}

void SendingQueue::State::End(const EntryPtr& entry, Status status) {
  held_spans_ -= entry->request.spans;
  active_requests_ -= active_.erase(entry);
  if (entry->done) std::move(entry->done)(std::move(status));
}

void SendingQueue::State::NotifyIfDrained() {
  if (draining_ && active_.empty() && waiting_.empty() && !drained_.HasBeenNotified()) drained_.Notify();
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

void SendingQueue::State::Abandon() {
  abandoned_ = true;
  std::vector<EntryPtr> given_up(waiting_.begin(), waiting_.end());
  waiting_.clear();
  waiting_requests_ = 0;
  waiting_bytes_ = 0;
  for (const EntryPtr& entry : active_) {
    if (!entry->sleeping) continue;
    entry->retry.Cancel();
    given_up.push_back(entry);
  }
  GiveUpAtStop(given_up);
}

SendingQueue::SendingQueue(std::string exporter, const SendingQueueOptions& options, const RetryOptions& retry,
                           const BuildContext& context, net::Loop& loop, SendOnce send)
    : exporter_(std::move(exporter)),
      metrics_(context.metrics),
      state_(std::make_shared<State>(exporter_, options, retry, context, loop, std::move(send))) {
  const MetricLabels labels = {{"exporter", exporter_}, {"data_type", "traces"}};
  const auto capacity = static_cast<double>(options.queue_size);
  const auto set = [&](std::string_view name, std::string_view help, std::function<double()> read) {
    metrics_.SetGauge(name, help, labels, std::move(read));
  };
  set("otelcol_exporter_queue_capacity", "Fixed capacity of the retry queue (in requests).",
      [capacity] { return capacity; });
  set("otelcol_exporter_queue_size", "Current size of the retry queue (in requests).",
      [state = state_] { return static_cast<double>(state->waiting_requests()); });
  set("otelcol_exporter_in_flight_requests", "Number of requests in flight, those that wait to be sent again included.",
      [state = state_] { return static_cast<double>(state->active_requests()); });
  set("spanloom_exporter_held_spans", "Spans that wait or are in flight.",
      [state = state_] { return static_cast<double>(state->held_spans()); });
}

SendingQueue::~SendingQueue() {
  const MetricLabels labels = {{"exporter", exporter_}, {"data_type", "traces"}};
  for (const char* name : {"otelcol_exporter_queue_capacity", "otelcol_exporter_queue_size",
                           "otelcol_exporter_in_flight_requests", "spanloom_exporter_held_spans"}) {
    metrics_.RemoveGauge(name, labels);
  }
  // Timers end on their loop.
  RunOn(state_->loop(), [this] { state_->Abandon(); });
}

void SendingQueue::Offer(ExportRequest request, Done done) {
  state_->loop().Post([state = state_, request = std::move(request), done = std::move(done)]() mutable {
    state->Add(std::move(request), std::move(done));
  });
}

bool SendingQueue::IsFull() const {
  return state_->IsFull();
}

Status SendingQueue::Refuse(size_t spans) {
  return state_->Refuse(spans);
}

void SendingQueue::Stop(std::chrono::milliseconds grace) {
  state_->loop().Post([state = state_] { state->Drain(); });
  state_->drained().WaitFor(grace);
  RunOn(state_->loop(), [this] { state_->Abandon(); });
}

uint64_t SendingQueue::undelivered_spans() const {
  return state_->undelivered_spans();
}

}  // namespace spanloom::pipeline
