// SPDX-License-Identifier: Apache-2.0
//
// Spans that the batch processor gathers to go on together: all that it is given, or those of senders who sent the same
// metadata.

#pragma once

#include <absl/base/thread_annotations.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/mutex.h"
#include "pipeline/consumer.h"
#include "pipeline/drops.h"
#include "pipeline/processors/waiting_senders.h"
#include "pipeline/registry.h"
#include "pipeline/slice_queue.h"

namespace spanloom::pipeline {

// What the options of the processor do not say.
struct BatchLimits {
  size_t held_bytes_max = 64 << 20;  // wire bytes held, the batches under way included; guess
  size_t held_spans_max = 500'000;   // guess
  // Wire bytes that make a batch be sent, and at which a larger one is split: below the 4 MiB that gRPC receivers take
  // by default, with room for what the estimate of SliceQueue gets wrong.
  size_t batch_bytes_max = 3 << 20;
  std::chrono::milliseconds retry_delay{1'000};  // after a refusal without a delay of its own; guess
  // A sender that finds no room waits for some: sending a request again costs it and us more than keeping it for a
  // moment. Both guesses; with 0 nobody waits.
  std::chrono::milliseconds room_wait_max{1'000};
  size_t room_wait_bytes_max = 16 << 20;  // wire bytes of all that wait in front of one group
};

// What the groups of one processor have in common: its options, what they hold together, and counters. Thread-safe.
struct BatchCommon {
  BatchCommon(const std::string& processor, const BuildContext& context, const BatchLimits& limits);

  const std::string id;
  const BatchLimits limits;
  std::chrono::nanoseconds timeout{0};  // 0: nothing waits
  size_t batch_spans_min = 0;           // that make a batch be sent; 0: nothing waits
  size_t batch_spans_max = 0;
  const Clock& clock;
  net::LoopPool& loops;
  DropCounter drops;
  Counter& size_triggers;
  Counter& timeout_triggers;
  Histogram& send_sizes;
  Histogram* const send_bytes;  // null unless metrics are detailed
  std::atomic<uint64_t> held_spans = 0;
  std::atomic<uint64_t> held_bytes = 0;
  std::atomic<uint64_t> undelivered_spans = 0;
};

// Thread-safe. Takes spans in and sends a batch that is full on the thread that brings them; what is due by time goes
// on its loop. Sends one batch at a time, in order of arrival. A refusal that is retryable keeps the batch and offers
// it again after the refusal's delay; another one drops it.
class BatchGroup : public std::enable_shared_from_this<BatchGroup> {
 public:
  BatchGroup(std::shared_ptr<BatchCommon> common, Consumer& next);

  // OK once they are held, which may be after a wait for room. kUnavailable with a delay if there was none in time, or
  // without one after the end.
  void Add(otlp::Batch batch, Done done);

  // Sends what is there without waiting for more, and notifies drained() when nothing is left.
  void Drain() ABSL_LOCKS_EXCLUDED(mutex_);
  [[nodiscard]] Notification& drained() { return drained_; }
  // Whoever waits for drained() waits no longer.
  void Hurry() ABSL_LOCKS_EXCLUDED(mutex_);
  // Gives up what has not been passed on. Not on the loop: waits for it.
  void Abandon();

 private:
  // True if `batch` is held, or its sender waits; else the answer is in `refusal`.
  bool TakeIn(otlp::Batch& batch, Done& done, Status& refusal) ABSL_LOCKS_EXCLUDED(mutex_);
  void Hold(otlp::Batch batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  [[nodiscard]] Status NoRoom() const;
  // Those who waited and are held now.
  std::vector<Done> AdmitWaiting() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OnRoomTimer() ABSL_LOCKS_EXCLUDED(mutex_);
  [[nodiscard]] bool IsFull() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  [[nodiscard]] bool HasRoomFor(const otlp::Batch& batch) const;
  // The next batch, if it is due and none is under way.
  std::optional<otlp::Batch> TakeDue() ABSL_LOCKS_EXCLUDED(mutex_);
  void SendIfDue() ABSL_LOCKS_EXCLUDED(mutex_);
  void Offer(otlp::Batch batch);
  void OfferAgain() ABSL_LOCKS_EXCLUDED(mutex_);
  void OnAnswer(const Status& status) ABSL_LOCKS_EXCLUDED(mutex_);
  // Deals with what is under way. Returns the delay if it is to be offered again.
  std::optional<std::chrono::milliseconds> Settle(const Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FinishUnderWay() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Without a timeout, or without a size that would trigger it, every request goes on as it comes.
  [[nodiscard]] bool SendsAtOnce() const;
  // The wait of what has come first begins now; sees to it that the timer runs.
  void BeginWait() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SayDrained() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void GiveUp() ABSL_LOCKS_EXCLUDED(mutex_);
  void OnTimer() ABSL_LOCKS_EXCLUDED(mutex_);
  // Nullopt if the time has come.
  std::optional<std::chrono::nanoseconds> TimeLeft() ABSL_LOCKS_EXCLUDED(mutex_);
  void RetryAfter(std::chrono::milliseconds delay) ABSL_LOCKS_EXCLUDED(mutex_);

  const std::shared_ptr<BatchCommon> common_;  // shared with the processor and its other groups
  Consumer& next_;
  net::Loop& loop_;
  Notification drained_;

  Mutex mutex_;
  WaitingSenders senders_ ABSL_GUARDED_BY(mutex_);
  bool is_room_timer_set_ ABSL_GUARDED_BY(mutex_) = false;  // room_timer_ is running, or about to
  SliceQueue waiting_ ABSL_GUARDED_BY(mutex_);
  int64_t wait_begin_ns_ ABSL_GUARDED_BY(mutex_) = 0;  // of the oldest that waits, or later
  otlp::Batch under_way_ ABSL_GUARDED_BY(mutex_);      // offered to next_, or to be offered again
  size_t under_way_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool is_sending_ ABSL_GUARDED_BY(mutex_) = false;    // under_way_ is in use
  bool is_refused_ ABSL_GUARDED_BY(mutex_) = false;    // by next_; retry_ is running
  bool is_due_ ABSL_GUARDED_BY(mutex_) = false;        // the timeout has passed for what waits
  bool is_timer_set_ ABSL_GUARDED_BY(mutex_) = false;  // timeout_ is running, or about to
  bool is_draining_ ABSL_GUARDED_BY(mutex_) = false;
  bool is_abandoned_ ABSL_GUARDED_BY(mutex_) = false;

  // Bound to the loop.
  net::Timer timeout_;
  net::Timer retry_;
  net::Timer room_timer_;
};

}  // namespace spanloom::pipeline
