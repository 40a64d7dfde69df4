// SPDX-License-Identifier: Apache-2.0
//
// Requests on their way to a destination: several are under way at once, each is tried again while the destination
// fails for the moment, and sent in parts if it is larger than the destination takes. How one attempt is made is the
// exporter's.

#pragma once

#include <absl/functional/any_invocable.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/retry_backoff.h"
#include "base/rng.h"
#include "pipeline/consumer.h"
#include "pipeline/exporters/queue_ledger.h"
#include "pipeline/exporters/request_encoder.h"
#include "pipeline/exporters/retry.h"
#include "pipeline/log_limiter.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

// One attempt's outcome: how many spans the destination rejected for good (0 if it took all), or why it took none.
using SendDone = absl::AnyInvocable<void(StatusOr<size_t> rejected_spans)>;
// Makes one attempt. Called on the queue's loop; `done` must be called once, on that loop, not from inside the call.
using SendOnce = std::function<void(const ExportRequest& request, SendDone done)>;

// Bound to `loop`, but for what is atomic. Counts what becomes of spans in the ledger, and reports a recoverable error
// while the destination does not take what it is sent.
class RequestSender : public std::enable_shared_from_this<RequestSender> {
 public:
  // `consumers`: attempts under way at once, waits between them included. `on_progress` is called when a request has
  // ended, until Abandon. References outlive the sender.
  RequestSender(std::string exporter, size_t consumers, const RetryOptions& retry,
                std::shared_ptr<RequestEncoder> encoder, std::shared_ptr<QueueLedger> ledger,
                const BuildContext& context, net::Loop& loop, SendOnce send, std::function<void()> on_progress);

  // `ended` is called when all of `request` was delivered, or with why a part of it was given up.
  void Send(ExportRequest request, Done ended);

  // How many further requests would be sent at once.
  [[nodiscard]] size_t free_places() const {
    const size_t taken = active_.size() + ready_.size();
    return consumers_ - std::min(consumers_, taken);
  }
  [[nodiscard]] bool is_idle() const { return active_.empty() && ready_.empty(); }

  // From now on: tries at once what waits to be sent again, and waits no longer than a moment between attempts.
  void Hurry();

  // Gives up all that no attempt is under way for, which is answered with an error. Returns its spans, which the caller
  // counts. Attempts under way are left to end; what fails then is counted as given up at the stop.
  [[nodiscard]] size_t Abandon();

  [[nodiscard]] size_t active_requests() const { return active_requests_.load(); }

  // What is offered to an exporter that is stopped, or cut off by that, is answered with.
  [[nodiscard]] Status Stopped() const;

 private:
  // A request with its history. Owned by ready_ or active_, and by the attempt under way.
  struct Delivery {
    Delivery(ExportRequest to_send, Done on_end, const RetryOptions& retry)
        : request(std::move(to_send)), ended(std::move(on_end)), backoff(retry.Backoff()) {}
    ExportRequest request;
    Done ended;
    RetryBackoff backoff;
    int64_t begin_ns = 0;    // steady time of the first attempt
    bool sleeping = false;   // waits for `retry`
    bool splitting = false;  // a worker cuts it up
    net::Timer retry;
  };
  using DeliveryPtr = std::shared_ptr<Delivery>;

  void StartReady();
  void Attempt(const DeliveryPtr& delivery);
  void OnAnswer(const DeliveryPtr& delivery, const StatusOr<size_t>& rejected_spans);
  void OnDelivered(const DeliveryPtr& delivery, size_t rejected_spans);
  void OnFailure(const DeliveryPtr& delivery, const Status& status);
  bool SendInParts(const DeliveryPtr& delivery, const Status& status);
  void ReplaceByParts(const DeliveryPtr& delivery, std::vector<ExportRequest> parts);
  void GiveUpAsTooLarge(const DeliveryPtr& delivery, const Status& status);
  bool SleepBeforeRetry(const DeliveryPtr& delivery, const Status& status);
  void End(const DeliveryPtr& delivery, Status status);

  const std::string exporter_;
  const otlp::Signal signal_;
  const size_t consumers_;
  const RetryOptions retry_;
  const std::shared_ptr<RequestEncoder> encoder_;  // shared with the queue
  const std::shared_ptr<QueueLedger> ledger_;      // shared with the queue
  const Clock& clock_;
  net::Loop& loop_;
  WorkerPool& workers_;
  const SendOnce send_;
  std::function<void()> on_progress_;  // empty once abandoned
  Rng rng_;
  const StatusReporter status_;
  LogLimiter failure_log_;
  std::atomic<size_t> active_requests_ = 0;

  std::deque<DeliveryPtr> ready_;  // wait for a place among active_
  std::set<DeliveryPtr> active_;   // at most consumers_
  bool failing_ = false;           // the destination is; reported
  bool hurries_ = false;
  bool abandoned_ = false;
};

}  // namespace spanloom::pipeline
