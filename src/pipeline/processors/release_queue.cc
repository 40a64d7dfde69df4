// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/release_queue.h"

#include <limits>
#include <utility>

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kDropAdvice =
    "what stands behind this processor refuses the batch for good; see its error, and the receiver's message size "
    "limit "
    "behind it";

}  // namespace

ReleaseQueue::ReleaseQueue(net::Loop& loop, Consumer& next, MetricLabels owner, MetricRegistry& metrics,
                           const Clock& clock, const Limits& limits, absl::AnyInvocable<void()> on_progress)
    : loop_(loop),
      next_(next),
      drops_(std::move(owner), metrics, clock),
      limits_(limits),
      on_progress_(std::move(on_progress)) {}

void ReleaseQueue::Push(otlp::Slice slice) {
  held_spans_ += slice.span_count();
  if (abandoned_) return GiveUp(slice.span_count());
  waiting_.Push(otlp::Batch(std::move(slice)));
}

void ReleaseQueue::Send() {
  if (sending_ || waiting_.empty()) return;
  const size_t bytes_before = waiting_.wire_bytes();
  under_way_ = waiting_.Take(std::numeric_limits<size_t>::max(), limits_.batch_bytes_max);
  under_way_bytes_ = bytes_before - waiting_.wire_bytes();
  sending_ = true;
  Offer();
}

void ReleaseQueue::Offer() {
  answered_ = false;
  next_.Consume(under_way_, [self = shared_from_this()](Status status) {
    self->loop_.Post([self, status = std::move(status)] { self->OnAnswer(status); });
  });
}

void ReleaseQueue::OnAnswer(const Status& status) {
  if (!status.ok() && abandoned_) {
    GiveUp(under_way_.span_count());
    under_way_ = otlp::Batch();
  } else if (!status.ok() && IsRetryable(status)) {
    answered_ = true;
    retry_ = loop_.PostAfter(RetryDelay(status).value_or(limits_.retry_delay), [this] { Offer(); });
    return;
  } else if (!status.ok()) {
    drops_.Count(under_way_.span_count(), status, kDropAdvice);
  }
  FinishUnderWay();
  if (abandoned_) return;
  Send();
  on_progress_();
}

void ReleaseQueue::FinishUnderWay() {
  held_spans_ -= under_way_.span_count();
  under_way_ = otlp::Batch();
  under_way_bytes_ = 0;
  sending_ = false;
}

void ReleaseQueue::Hasten() {
  if (!answered_) return Send();
  retry_.Cancel();
  Offer();
}

void ReleaseQueue::GiveUp(uint64_t spans) {
  held_spans_ -= spans;
  abandoned_spans_ += spans;
  drops_.CountShutdown(spans);
}

void ReleaseQueue::Abandon() {
  abandoned_ = true;
  retry_.Cancel();
  GiveUp(waiting_.span_count());
  waiting_ = SliceQueue();
  // A batch that next_ still has is counted when it answers.
  if (std::exchange(answered_, false)) {
    GiveUp(under_way_.span_count());
    under_way_ = otlp::Batch();
    FinishUnderWay();
  }
}

}  // namespace spanloom::pipeline
