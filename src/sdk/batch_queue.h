// SPDX-License-Identifier: Apache-2.0
//
// What waits to be sent about this process, spans or lines of its log, and goes in requests, one at a time, from a
// loop. What is lost on the way is counted by cause.

#pragma once

#include <absl/base/thread_annotations.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "base/retry_backoff.h"
#include "base/rng.h"
#include "base/text.h"
#include "net/loop.h"
#include "sdk/batch_exporter.h"

namespace spanloom::sdk {

inline constexpr RetryIntervals kOwnRetryIntervals = {
    .first = std::chrono::seconds(1), .longest = std::chrono::seconds(30), .multiplier = 2, .jitter = 0.2};

// Everything but the queue and the counters is bound to `loop`. Made as a shared pointer, which tasks and answers under
// way share.
template <typename Item>
class BatchQueue : public std::enable_shared_from_this<BatchQueue<Item>> {
 public:
  // What its counters and its line in the log are called.
  struct Words {
    std::string_view exported;
    std::string_view exported_help;
    std::string_view dropped;  // by cause: full, refused (by the destination, for good), unreachable, shutdown
    std::string_view dropped_help;
    std::string_view warning;
  };
  using Encode = std::function<std::string(const std::vector<Item>& items)>;

  // `send` must stay callable until Stop has returned. `loop`, `clock` and `metrics` must outlive the queue.
  BatchQueue(const BatchExporterOptions& options, Encode encode, const Words& words, net::Loop& loop,
             const Clock& clock, MetricRegistry& metrics, Rng rng, SendRequest send)
      : loop_(loop),
        options_(options),
        encode_(std::move(encode)),
        warning_(words.warning),
        clock_(clock),
        send_(std::move(send)),
        exported_(metrics.GetCounter(words.exported, words.exported_help)),
        full_(Dropped(metrics, words, "full")),
        refused_(Dropped(metrics, words, "refused")),
        unreachable_(Dropped(metrics, words, "unreachable")),
        shutdown_(Dropped(metrics, words, "shutdown")),
        rng_(rng) {}

  // Thread-safe. Never logs.
  void Take(Item item) ABSL_LOCKS_EXCLUDED(mutex_) {
    size_t waiting = 0;
    {
      MutexLock lock(mutex_);
      if (closed_) return shutdown_.Add(1);
      if (queue_.size() >= options_.queue_spans_max) return full_.Add(1);
      queue_.push_back(std::move(item));
      waiting = queue_.size();
    }
    // The first one starts the timer, a full batch goes at once.
    if (waiting != 1 && waiting != options_.batch_spans_max) return;
    loop_.Post([self = this->shared_from_this()] { self->Proceed(); });
  }

  // Sends what waits, at most until `grace` is over; from now on items are sent as soon as they can. Called from a
  // thread that is not a loop's, as Stop is.
  void Flush(std::chrono::milliseconds grace) {
    loop_.Post([self = this->shared_from_this()] { self->Drain(); });
    AwaitIdle(grace);
  }

  // The same, and counts the rest as lost. Later calls do nothing.
  void Stop(std::chrono::milliseconds grace) {
    Flush(grace);
    Notification abandoned;
    loop_.Post([this, &abandoned] {
      Abandon();
      abandoned.Notify();
    });
    abandoned.Wait();
  }

 private:
  static Counter& Dropped(MetricRegistry& metrics, const Words& words, const std::string& cause) {
    return metrics.GetCounter(words.dropped, words.dropped_help, {{"cause", cause}});
  }

  void Drain() {
    draining_ = true;
    if (request_.empty()) return Proceed();
    if (!is_sending_) Attempt();  // it waits to be sent again
  }

  // What is still here is lost. Nothing is sent afterwards.
  void Abandon() ABSL_LOCKS_EXCLUDED(mutex_) {
    delay_timer_.Cancel();
    retry_timer_.Cancel();
    MutexLock lock(mutex_);
    closed_ = true;
    shutdown_.Add(queue_.size() + std::exchange(request_items_, 0));
    queue_.clear();
    request_ = {};
  }

  // Returns when nothing waits or is under way, or when `grace` is over.
  void AwaitIdle(std::chrono::milliseconds grace) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    mutex_.AwaitFor([this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return closed_ || (queue_.empty() && !is_busy_); },
                    grace);
  }

  // Sends a batch if there is reason to, or sees to it that it will be.
  void Proceed() {
    if (!request_.empty()) return;
    const size_t waiting = Waiting();
    if (waiting == 0) return;
    if (draining_ || waiting >= options_.batch_spans_max) return Begin();
    if (std::exchange(is_timer_set_, true)) return;
    delay_timer_ = loop_.PostAfter(options_.delay, [self = this->shared_from_this()] {
      self->is_timer_set_ = false;
      if (self->request_.empty() && self->Waiting() > 0) self->Begin();
    });
  }

  [[nodiscard]] size_t Waiting() const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    return queue_.size();
  }

  std::vector<Item> TakeBatch() ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    const auto end = queue_.begin() + static_cast<ptrdiff_t>(std::min(queue_.size(), options_.batch_spans_max));
    std::vector<Item> batch(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
    queue_.erase(queue_.begin(), end);
    is_busy_ = true;
    return batch;
  }

  void Begin() {
    const std::vector<Item> batch = TakeBatch();
    request_ = Bytes(encode_(batch));
    request_items_ = batch.size();
    retry_delays_ = RetryBackoff(kOwnRetryIntervals);
    give_up_ns_ = clock_.SteadyNs() + options_.retry_max.count();
    Attempt();
  }

  void Attempt() {
    is_sending_ = true;
    send_(request_, [self = this->shared_from_this()](StatusOr<size_t> rejected) {
      self->loop_.Post([self, rejected = std::move(rejected)] { self->OnAnswer(rejected); });
    });
  }

  void OnAnswer(const StatusOr<size_t>& rejected) {
    is_sending_ = false;
    if (request_.empty()) return;  // it was given up meanwhile
    if (rejected.ok()) {
      const size_t lost = std::min(*rejected, request_items_);
      refused_.Add(lost);
      exported_.Add(request_items_ - lost);
      has_warned_ = false;
      return End();
    }
    Warn(rejected.status());
    const bool retryable = IsRetryable(rejected.status());
    if (retryable && clock_.SteadyNs() < give_up_ns_) return Retry(rejected.status());
    (retryable ? unreachable_ : refused_).Add(request_items_);
    End();
  }

  void Retry(const Status& status) {
    std::chrono::nanoseconds delay = retry_delays_.Next(rng_);
    if (const auto asked = RetryDelay(status)) delay = *asked;
    retry_timer_ = loop_.PostAfter(delay, [self = this->shared_from_this()] {
      if (!self->is_sending_) self->Attempt();
    });
  }

  // Once an outage.
  void Warn(const Status& status) {
    if (std::exchange(has_warned_, true)) return;
    Log(LogLevel::kWarn, warning_,
        {{"error", StdView(status.message())},
         {"advice", StrCat("see ", options_.configured_by, " and the destination")}});
  }

  void End() ABSL_LOCKS_EXCLUDED(mutex_) {
    retry_timer_.Cancel();
    {
      MutexLock lock(mutex_);
      is_busy_ = false;
    }
    request_ = {};
    request_items_ = 0;
    Proceed();
  }

  net::Loop& loop_;
  const BatchExporterOptions options_;
  const Encode encode_;
  const std::string warning_;
  const Clock& clock_;
  const SendRequest send_;
  Counter& exported_;
  Counter& full_;
  Counter& refused_;
  Counter& unreachable_;
  Counter& shutdown_;

  mutable Mutex mutex_;
  std::deque<Item> queue_ ABSL_GUARDED_BY(mutex_);
  bool is_busy_ ABSL_GUARDED_BY(mutex_) = false;  // a request is under way, or waits to be sent again
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;

  // Of the loop.
  Rng rng_;
  Bytes request_;  // under way, or waiting to be sent again; empty if there is none
  size_t request_items_ = 0;
  bool is_sending_ = false;
  bool is_timer_set_ = false;
  bool draining_ = false;
  bool has_warned_ = false;
  RetryBackoff retry_delays_{kOwnRetryIntervals};
  int64_t give_up_ns_ = 0;  // steady
  net::Timer delay_timer_;
  net::Timer retry_timer_;
};

}  // namespace spanloom::sdk
