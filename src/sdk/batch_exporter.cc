// SPDX-License-Identifier: Apache-2.0

#include "sdk/batch_exporter.h"

#include <absl/base/thread_annotations.h>

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/mutex.h"
#include "base/retry_backoff.h"
#include "base/text.h"

namespace spanloom::sdk {
namespace {

using std::chrono::nanoseconds;

constexpr RetryIntervals kRetryIntervals = {
    .first = std::chrono::seconds(1), .longest = std::chrono::seconds(30), .multiplier = 2, .jitter = 0.2};

Counter& DroppedSpans(MetricRegistry& metrics, const std::string& cause) {
  return metrics.GetCounter("spanloom_own_spans_dropped", "Spans about this process that were lost, by cause.",
                            {{"cause", cause}});
}

}  // namespace

// Everything but the queue and the counters is bound to `loop`.
class BatchExporter::State : public std::enable_shared_from_this<BatchExporter::State> {
 public:
  State(const BatchExporterOptions& options, std::string resource, std::vector<std::string> scopes, net::Loop& loop,
        const Clock& clock, MetricRegistry& metrics, Rng rng, SendRequest send)
      : loop_(loop),
        options_(options),
        resource_(std::move(resource)),
        scopes_(std::move(scopes)),
        clock_(clock),
        send_(std::move(send)),
        exported_(metrics.GetCounter("spanloom_own_spans_exported", "Spans about this process that were delivered.")),
        full_(DroppedSpans(metrics, "full")),
        refused_(DroppedSpans(metrics, "refused")),
        unreachable_(DroppedSpans(metrics, "unreachable")),
        shutdown_(DroppedSpans(metrics, "shutdown")),
        rng_(rng) {}

  void Take(std::unique_ptr<SpanRecord> span) ABSL_LOCKS_EXCLUDED(mutex_) {
    size_t waiting = 0;
    {
      MutexLock lock(mutex_);
      if (closed_) return shutdown_.Add(1);
      if (queue_.size() >= options_.queue_spans_max) return full_.Add(1);
      queue_.push_back(std::move(span));
      waiting = queue_.size();
    }
    // The first one starts the timer, a full batch goes at once.
    if (waiting != 1 && waiting != options_.batch_spans_max) return;
    loop_.Post([self = shared_from_this()] { self->Proceed(); });
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
    shutdown_.Add(queue_.size() + std::exchange(request_spans_, 0));
    queue_.clear();
    request_ = {};
  }

  // Returns when nothing waits or is under way, or when `grace` is over.
  void AwaitIdle(std::chrono::milliseconds grace) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    mutex_.AwaitFor([this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return closed_ || (queue_.empty() && !is_busy_); },
                    grace);
  }

  net::Loop& loop() { return loop_; }

 private:
  // Sends a batch if there is reason to, or sees to it that it will be.
  void Proceed() {
    if (!request_.empty()) return;
    const size_t waiting = Waiting();
    if (waiting == 0) return;
    if (draining_ || waiting >= options_.batch_spans_max) return Begin();
    if (std::exchange(is_timer_set_, true)) return;
    delay_timer_ = loop_.PostAfter(options_.delay, [self = shared_from_this()] {
      self->is_timer_set_ = false;
      if (self->request_.empty() && self->Waiting() > 0) self->Begin();
    });
  }

  [[nodiscard]] size_t Waiting() const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    return queue_.size();
  }

  std::vector<std::unique_ptr<SpanRecord>> TakeBatch() ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    const auto end = queue_.begin() + static_cast<ptrdiff_t>(std::min(queue_.size(), options_.batch_spans_max));
    std::vector<std::unique_ptr<SpanRecord>> batch(std::make_move_iterator(queue_.begin()),
                                                   std::make_move_iterator(end));
    queue_.erase(queue_.begin(), end);
    is_busy_ = true;
    return batch;
  }

  void Begin() {
    const std::vector<std::unique_ptr<SpanRecord>> batch = TakeBatch();
    request_ = Bytes(EncodeRequest(batch, resource_, scopes_));
    request_spans_ = batch.size();
    retry_delays_ = RetryBackoff(kRetryIntervals);
    give_up_ns_ = clock_.SteadyNs() + options_.retry_max.count();
    Attempt();
  }

  void Attempt() {
    is_sending_ = true;
    send_(request_, [self = shared_from_this()](StatusOr<size_t> rejected) {
      self->loop_.Post([self, rejected = std::move(rejected)] { self->OnAnswer(rejected); });
    });
  }

  void OnAnswer(const StatusOr<size_t>& rejected) {
    is_sending_ = false;
    if (request_.empty()) return;  // it was given up meanwhile
    if (rejected.ok()) {
      const size_t lost = std::min(*rejected, request_spans_);
      refused_.Add(lost);
      exported_.Add(request_spans_ - lost);
      has_warned_ = false;
      return End();
    }
    Warn(rejected.status());
    const bool retryable = IsRetryable(rejected.status());
    if (retryable && clock_.SteadyNs() < give_up_ns_) return Retry(rejected.status());
    (retryable ? unreachable_ : refused_).Add(request_spans_);
    End();
  }

  void Retry(const Status& status) {
    nanoseconds delay = retry_delays_.Next(rng_);
    if (const auto asked = RetryDelay(status)) delay = *asked;
    retry_timer_ = loop_.PostAfter(delay, [self = shared_from_this()] {
      if (!self->is_sending_) self->Attempt();
    });
  }

  // Once an outage.
  void Warn(const Status& status) {
    if (std::exchange(has_warned_, true)) return;
    Log(LogLevel::kWarn, "spans about this process can't be delivered",
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
    request_spans_ = 0;
    Proceed();
  }

  net::Loop& loop_;
  const BatchExporterOptions options_;
  const std::string resource_;
  const std::vector<std::string> scopes_;
  const Clock& clock_;
  const SendRequest send_;
  Counter& exported_;
  Counter& full_;
  Counter& refused_;
  Counter& unreachable_;
  Counter& shutdown_;

  mutable Mutex mutex_;
  std::deque<std::unique_ptr<SpanRecord>> queue_ ABSL_GUARDED_BY(mutex_);
  bool is_busy_ ABSL_GUARDED_BY(mutex_) = false;  // a request is under way, or waits to be sent again
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;

  // Of the loop.
  Rng rng_;
  Bytes request_;  // under way, or waiting to be sent again; empty if there is none
  size_t request_spans_ = 0;
  bool is_sending_ = false;
  bool is_timer_set_ = false;
  bool draining_ = false;
  bool has_warned_ = false;
  RetryBackoff retry_delays_{kRetryIntervals};
  int64_t give_up_ns_ = 0;  // steady
  net::Timer delay_timer_;
  net::Timer retry_timer_;
};

BatchExporter::BatchExporter(const BatchExporterOptions& options, std::string resource, std::vector<std::string> scopes,
                             net::Loop& loop, const Clock& clock, MetricRegistry& metrics, Rng rng, SendRequest send)
    : state_(std::make_shared<State>(options, std::move(resource), std::move(scopes), loop, clock, metrics, rng,
                                     std::move(send))) {}

BatchExporter::~BatchExporter() {
  Stop(std::chrono::milliseconds(0));
}

void BatchExporter::Take(std::unique_ptr<SpanRecord> span) {
  state_->Take(std::move(span));
}

void BatchExporter::Flush(std::chrono::milliseconds grace) {
  state_->loop().Post([state = state_] { state->Drain(); });
  state_->AwaitIdle(grace);
}

void BatchExporter::Stop(std::chrono::milliseconds grace) {
  Flush(grace);
  Notification abandoned;
  state_->loop().Post([this, &abandoned] {
    state_->Abandon();
    abandoned.Notify();
  });
  abandoned.Wait();
}

}  // namespace spanloom::sdk
