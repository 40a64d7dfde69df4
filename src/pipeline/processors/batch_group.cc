// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/batch_group.h"

#include <utility>
#include <vector>

#include "base/text.h"
#include "net/loop_call.h"

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kDropAdvice =
    "the exporter refuses this batch for good; see its error, and the receiver's message size limit behind it";

// Upper bounds of otelcol_processor_batch_batch_send_size, as the Collector has them.
const std::vector<double> kSendSizeBounds = {10,    25,     50,     75,     100,    250,    500,   750,
                                             1'000, 2'000,  3'000,  4'000,  5'000,  6'000,  7'000, 8'000,
                                             9'000, 10'000, 20'000, 30'000, 50'000, 100'000};

Histogram* SendBytesOf(MetricRegistry& metrics, const std::string& id) {
  if (!metrics.is_detailed()) return nullptr;
  // The Collector's: those of spans, then hundreds of thousands and millions.
  std::vector<double> bounds = kSendSizeBounds;
  for (int i = 2; i <= 9; ++i) bounds.push_back(i * 1e5);
  for (int i = 1; i <= 9; ++i) bounds.push_back(i * 1e6);
  return &metrics.GetHistogram("otelcol_processor_batch_batch_send_size_bytes", "Bytes of the batch.", bounds,
                               {{"processor", id}});
}

Counter& TriggerCounter(MetricRegistry& metrics, const std::string& id, std::string_view name,
                        std::string_view trigger) {
  return metrics.GetCounter(name, StrCat("Number of times the batch was sent due to a ", trigger, " trigger."),
                            {{"processor", id}});
}

}  // namespace

BatchCommon::BatchCommon(const std::string& processor, const BuildContext& context, const BatchLimits& held_limits)
    : id(processor),
      limits(held_limits),
      clock(context.clock),
      loops(context.loops),
      drops({{"processor", id}, {"pipeline", context.pipeline}}, context.metrics, context.clock, context.signal),
      size_triggers(TriggerCounter(context.metrics, id, "otelcol_processor_batch_batch_size_trigger_send", "size")),
      timeout_triggers(TriggerCounter(context.metrics, id, "otelcol_processor_batch_timeout_trigger_send", "timeout")),
      send_sizes(context.metrics.GetHistogram("otelcol_processor_batch_batch_send_size",
                                              "Number of spans in the batch.", kSendSizeBounds, {{"processor", id}})),
      send_bytes(SendBytesOf(context.metrics, id)) {}

BatchGroup::BatchGroup(std::shared_ptr<BatchCommon> common, Consumer& next)
    : common_(std::move(common)),
      next_(next),
      loop_(common_->loops.Next()),
      senders_(common_->limits.room_wait_bytes_max) {}

bool BatchGroup::HasRoomFor(const otlp::Batch& batch) const {
  const uint64_t spans = common_->held_spans;
  // A batch larger than the limits is taken when nothing else is held: refusing it for ever would help nobody.
  if (spans == 0) return true;
  return common_->held_bytes + batch.wire_bytes() <= common_->limits.held_bytes_max &&
         spans + batch.span_count() <= common_->limits.held_spans_max;
}

Status BatchGroup::NoRoom() const {
  return WithRetryDelay(absl::UnavailableError(StrCat("processor ", common_->id, " holds ", common_->held_spans.load(),
                                                      " spans that the exporter does not take; its limit is ",
                                                      common_->limits.held_bytes_max, " bytes")),
                        common_->limits.retry_delay);
}

bool BatchGroup::TakeIn(otlp::Batch& batch, Done& done, Status& refusal) {
  const MutexLock lock(mutex_);
  if (is_abandoned_) {
    refusal = absl::UnavailableError(StrCat("processor ", common_->id, " is stopped"));
    return false;
  }
  if (senders_.empty() && HasRoomFor(batch)) {
    Hold(std::move(batch));
    return true;
  }
  if (common_->limits.room_wait_max.count() == 0 || !senders_.HasRoomFor(batch)) {
    refusal = NoRoom();
    return false;
  }
  const std::chrono::nanoseconds wait = common_->limits.room_wait_max;
  senders_.Push({std::move(batch), std::move(done), common_->clock.SteadyNs() + wait.count()});
  if (!std::exchange(is_room_timer_set_, true)) loop_.Post([self = shared_from_this()] { self->OnRoomTimer(); });
  return true;
}

void BatchGroup::Hold(otlp::Batch batch) {
  const bool was_empty = waiting_.empty();
  const size_t bytes_before = waiting_.wire_bytes();
  common_->held_spans += batch.span_count();
  waiting_.Push(std::move(batch));
  common_->held_bytes += waiting_.wire_bytes() - bytes_before;
  if (was_empty && !waiting_.empty()) BeginWait();
}

bool BatchGroup::SendsAtOnce() const {
  return common_->timeout.count() == 0 || common_->batch_spans_min == 0;
}

void BatchGroup::BeginWait() {
  is_due_ = SendsAtOnce();
  if (is_due_) return;
  wait_begin_ns_ = common_->clock.SteadyNs();
  if (!std::exchange(is_timer_set_, true)) loop_.Post([self = shared_from_this()] { self->OnTimer(); });
}

std::vector<Done> BatchGroup::AdmitWaiting() {
  std::vector<Done> admitted;
  while (!senders_.empty() && HasRoomFor(senders_.front().batch)) {
    WaitingSender sender = senders_.Pop();
    Hold(std::move(sender.batch));
    admitted.push_back(std::move(sender.done));
  }
  return admitted;
}

void BatchGroup::Add(otlp::Batch batch, Done done) {
  Status refusal;
  if (!TakeIn(batch, done, refusal)) return std::move(done)(std::move(refusal));
  if (done) std::move(done)(absl::OkStatus());
  SendIfDue();
}

// Refuses those whose time is over, and runs on while some wait.
void BatchGroup::OnRoomTimer() {
  std::vector<Done> expired;
  std::optional<std::chrono::nanoseconds> left;
  {
    const MutexLock lock(mutex_);
    const int64_t now_ns = common_->clock.SteadyNs();
    while (auto sender = senders_.PopExpired(now_ns)) expired.push_back(std::move(sender->done));
    is_room_timer_set_ = !senders_.empty();
    if (is_room_timer_set_) left = std::chrono::nanoseconds(senders_.front().deadline_ns - now_ns);
  }
  for (Done& done : expired) std::move(done)(NoRoom());
  if (left) room_timer_ = loop_.PostAfter(*left, [this] { OnRoomTimer(); });
}

std::optional<std::chrono::nanoseconds> BatchGroup::TimeLeft() {
  const MutexLock lock(mutex_);
  const int64_t left_ns = wait_begin_ns_ + common_->timeout.count() - common_->clock.SteadyNs();
  if (!waiting_.empty() && !is_abandoned_ && left_ns > 0) return std::chrono::nanoseconds(left_ns);
  is_timer_set_ = false;
  is_due_ = is_due_ || !waiting_.empty();
  return std::nullopt;
}

// The timer runs through as long as spans come; when it ends, what is younger makes it run on.
void BatchGroup::OnTimer() {
  if (const auto left = TimeLeft()) {
    timeout_ = loop_.PostAfter(*left, [this] { OnTimer(); });
  } else {
    SendIfDue();
  }
}

bool BatchGroup::IsFull() const {
  const size_t spans_min = common_->batch_spans_min;
  return (spans_min > 0 && waiting_.span_count() >= spans_min) ||
         waiting_.wire_bytes() >= common_->limits.batch_bytes_max;
}

std::optional<otlp::Batch> BatchGroup::TakeDue() {
  std::optional<otlp::Batch> taken;
  {
    const MutexLock lock(mutex_);
    if (is_sending_ || is_abandoned_) return std::nullopt;
    if (waiting_.empty()) {
      if (is_draining_) SayDrained();
      return std::nullopt;
    }
    const bool is_full = IsFull();
    if (!is_full && !is_due_ && !is_draining_) return std::nullopt;
    if (is_full || SendsAtOnce()) {  // as the Collector counts it
      common_->size_triggers.Add(1);
    } else if (is_due_) {
      common_->timeout_triggers.Add(1);
    }
    const size_t bytes_before = waiting_.wire_bytes();
    under_way_ = waiting_.Take(common_->batch_spans_max, common_->limits.batch_bytes_max);
    under_way_bytes_ = bytes_before - waiting_.wire_bytes();
    is_sending_ = true;
    // What is left starts its own wait, unless it was due too.
    if (waiting_.empty()) {
      is_due_ = false;
    } else if (!is_due_) {
      BeginWait();
    }
    taken = under_way_;
  }
  common_->send_sizes.Add(static_cast<double>(taken->span_count()));
  if (common_->send_bytes != nullptr) common_->send_bytes->Add(static_cast<double>(taken->wire_bytes()));
  return taken;
}

void BatchGroup::SendIfDue() {
  if (std::optional<otlp::Batch> batch = TakeDue()) Offer(*std::move(batch));
}

void BatchGroup::Offer(otlp::Batch batch) {
  next_.Consume(std::move(batch), [self = shared_from_this()](const Status& status) { self->OnAnswer(status); });
}

void BatchGroup::OfferAgain() {
  otlp::Batch batch;
  {
    const MutexLock lock(mutex_);
    if (!std::exchange(is_refused_, false)) return;
    batch = under_way_;
  }
  Offer(std::move(batch));
}

void BatchGroup::OnAnswer(const Status& status) {
  bool goes_on = false;
  std::optional<std::chrono::milliseconds> delay;
  std::vector<Done> admitted;
  {
    const MutexLock lock(mutex_);
    delay = Settle(status);
    if (!is_abandoned_) admitted = AdmitWaiting();
    goes_on = !is_abandoned_ && !delay && (is_draining_ || is_due_ || IsFull());
  }
  for (Done& done : admitted) std::move(done)(absl::OkStatus());
  if (delay) {
    loop_.Post([self = shared_from_this(), wait = *delay] { self->RetryAfter(wait); });
  } else if (goes_on) {
    // Not from inside the answer: answers that come at once would nest.
    loop_.Post([self = shared_from_this()] { self->SendIfDue(); });
  }
}

std::optional<std::chrono::milliseconds> BatchGroup::Settle(const Status& status) {
  if (!status.ok() && is_abandoned_) {
    common_->undelivered_spans += under_way_.span_count();
    common_->drops.CountShutdown(under_way_.span_count());
  } else if (!status.ok() && IsRetryable(status)) {
    is_refused_ = true;
    return RetryDelay(status).value_or(common_->limits.retry_delay);
  } else if (!status.ok()) {
    common_->drops.Count(under_way_.span_count(), status, kDropAdvice);
  }
  FinishUnderWay();
  return std::nullopt;
}

void BatchGroup::FinishUnderWay() {
  common_->held_spans -= under_way_.span_count();
  common_->held_bytes -= under_way_bytes_;
  under_way_ = otlp::Batch();
  under_way_bytes_ = 0;
  is_sending_ = false;
}

void BatchGroup::RetryAfter(std::chrono::milliseconds delay) {
  {
    const MutexLock lock(mutex_);
    if (!is_refused_) return;
  }
  retry_ = loop_.PostAfter(delay, [this] { OfferAgain(); });
}

void BatchGroup::Drain() {
  bool is_refused = false;
  {
    const MutexLock lock(mutex_);
    is_draining_ = true;
    is_refused = is_refused_;
  }
  is_refused ? OfferAgain() : SendIfDue();
}

void BatchGroup::SayDrained() {
  if (!drained_.HasBeenNotified()) drained_.Notify();
}

void BatchGroup::Hurry() {
  const MutexLock lock(mutex_);
  SayDrained();
}

void BatchGroup::Abandon() {
  GiveUp();
  RunOn(loop_, [this] {
    timeout_.Cancel();
    retry_.Cancel();
    room_timer_.Cancel();
  });
}

void BatchGroup::GiveUp() {
  uint64_t lost = 0;
  std::vector<Done> refused;
  {
    const MutexLock lock(mutex_);
    is_abandoned_ = true;
    while (!senders_.empty()) refused.push_back(senders_.Pop().done);
    lost = waiting_.span_count();
    common_->held_spans -= lost;
    common_->held_bytes -= waiting_.wire_bytes();
    waiting_ = SliceQueue();
    // A batch that next_ still has is counted when it answers.
    if (std::exchange(is_refused_, false)) {
      lost += under_way_.span_count();
      FinishUnderWay();
    }
  }
  for (Done& done : refused) {
    std::move(done)(absl::UnavailableError(StrCat("processor ", common_->id, " is stopped")));
  }
  common_->undelivered_spans += lost;
  common_->drops.CountShutdown(lost);
}

}  // namespace spanloom::pipeline
