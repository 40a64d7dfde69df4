// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/request_sender.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "config/duration.h"
#include "pipeline/exporters/failure_text.h"
#include "pipeline/joined_done.h"

namespace spanloom::pipeline {
namespace {

// Between attempts while the queue drains: what is not sent within the grace is lost; guess.
constexpr std::chrono::milliseconds kHurriedDelayMax{250};

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

}  // namespace

RequestSender::RequestSender(std::string exporter, size_t consumers, const RetryOptions& retry,
                             std::shared_ptr<RequestEncoder> encoder, std::shared_ptr<QueueLedger> ledger,
                             const BuildContext& context, net::Loop& loop, SendOnce send,
                             std::function<void()> on_progress)
    : exporter_(std::move(exporter)),
      signal_(context.signal),
      consumers_(consumers),
      retry_(retry),
      encoder_(std::move(encoder)),
      ledger_(std::move(ledger)),
      clock_(context.clock),
      loop_(loop),
      workers_(context.loops.workers()),
      send_(std::move(send)),
      on_progress_(std::move(on_progress)),
      rng_(context.seed),
      status_(context.status),
      failure_log_(context.clock) {}

Status RequestSender::Stopped() const {
  return absl::UnavailableError(StrCat("exporter ", exporter_, " is stopped"));
}

void RequestSender::Send(ExportRequest request, Done ended) {
  ledger_->Begun(request.spans, request.encoded_bytes);
  ready_.push_back(std::make_shared<Delivery>(std::move(request), std::move(ended), retry_));
  StartReady();
}

void RequestSender::StartReady() {
  while (active_.size() < consumers_ && !ready_.empty()) {
    const DeliveryPtr delivery = std::move(ready_.front());
    ready_.pop_front();
    ++active_requests_;
    delivery->begin_ns = clock_.SteadyNs();
    active_.insert(delivery);
    Attempt(delivery);
  }
}

void RequestSender::Attempt(const DeliveryPtr& delivery) {
  delivery->sleeping = false;
  send_(delivery->request, [self = shared_from_this(), delivery](const StatusOr<size_t>& rejected_spans) {
    self->OnAnswer(delivery, rejected_spans);
  });
}

void RequestSender::OnAnswer(const DeliveryPtr& delivery, const StatusOr<size_t>& rejected_spans) {
  if (rejected_spans.ok()) {
    OnDelivered(delivery, *rejected_spans);
  } else {
    OnFailure(delivery, rejected_spans.status());
  }
  if (abandoned_) {
    // Once, when the last attempt under way has been answered.
    if (active_.empty()) ledger_->ReportStop();
    return;
  }
  StartReady();
  on_progress_();
}

void RequestSender::OnDelivered(const DeliveryPtr& delivery, size_t rejected_spans) {
  if (std::exchange(failing_, false)) status_.ReportOk();
  ledger_->Delivered(delivery->request.spans, rejected_spans);
  End(delivery, absl::OkStatus());
}

void RequestSender::OnFailure(const DeliveryPtr& delivery, const Status& status) {
  if (abandoned_) {
    ledger_->GaveUpAtStop(delivery->request.spans);
    return End(delivery, Stopped());
  }
  if (SendInParts(delivery, status)) return;
  if (DestinationFails(status)) {
    failing_ = true;
    status_.ReportRecoverable(status);
  }
  const bool is_retryable = IsRetryable(status);
  if (retry_.enabled && is_retryable && SleepBeforeRetry(delivery, status)) return;
  // The Collector's words.
  const std::string_view verdict = !retry_.enabled ? "" : is_retryable ? "no more retries left" : "not retryable error";
  ledger_->GaveUp(delivery->request.spans, status, verdict);
  End(delivery, verdict.empty() ? status : Annotate(status, verdict));
}

bool RequestSender::SendInParts(const DeliveryPtr& delivery, const Status& status) {
  if (!encoder_->LearnLimit(status, delivery->request)) return false;
  if (delivery->request.spans <= 1) {
    GiveUpAsTooLarge(delivery, status);
    return true;
  }
  // A worker does it: megabytes are compressed anew.
  delivery->splitting = workers_.Submit([self = shared_from_this(), delivery] {
    std::vector<ExportRequest> parts = self->encoder_->Split(delivery->request);
    self->loop_.Post(
        [self, delivery, parts = std::move(parts)]() mutable { self->ReplaceByParts(delivery, std::move(parts)); });
  });
  return delivery->splitting || SleepBeforeRetry(delivery, status);
}

void RequestSender::ReplaceByParts(const DeliveryPtr& delivery, std::vector<ExportRequest> parts) {
  if (abandoned_) return;
  Log(LogLevel::kInfo, "a request was larger than its destination takes and is sent in parts",
      {{"exporter", exporter_},
       {"bytes", delivery->request.encoded_bytes},
       {"parts", parts.size()},
       {"limit", encoder_->request_bytes_max()}});
  std::vector<Done> ended = JoinedDone(parts.size(), std::move(delivery->ended));
  active_requests_ -= active_.erase(delivery);
  for (size_t i = parts.size(); i-- > 0;) {
    ready_.push_front(std::make_shared<Delivery>(std::move(parts[i]), std::move(ended[i]), retry_));
  }
  StartReady();
}

void RequestSender::GiveUpAsTooLarge(const DeliveryPtr& delivery, const Status& status) {
  const RequestEncoder::SpanName span = encoder_->FirstSpan(delivery->request);
  Log(LogLevel::kError, "an item alone is larger than its destination takes",
      {{"exporter", exporter_},
       {"name", span.name},
       {"trace_id", span.trace_id},
       {"bytes", delivery->request.encoded_bytes},
       {"error", StdView(status.message())},
       {"advice", "raise the receiver's message size limit, or shorten its attributes before"}});
  ledger_->GaveUpAsTooLarge(delivery->request.spans);
  End(delivery, status);
}

bool RequestSender::SleepBeforeRetry(const DeliveryPtr& delivery, const Status& status) {
  std::chrono::nanoseconds delay = delivery->backoff.Next(rng_);
  if (const auto wanted = RetryDelay(status)) delay = std::max<std::chrono::nanoseconds>(delay, *wanted);
  if (hurries_) delay = std::min<std::chrono::nanoseconds>(delay, kHurriedDelayMax);
  const std::chrono::nanoseconds elapsed(clock_.SteadyNs() - delivery->begin_ns);
  if (retry_.max_elapsed_time.count() > 0 && elapsed + delay > retry_.max_elapsed_time) return false;
  if (const auto requests = failure_log_.Admit(1)) {
    Log(LogLevel::kInfo, "Exporting failed. Will retry the request after interval.",
        {{"exporter", exporter_},
         {"otelcol.signal", otlp::SignalText(signal_)},
         {"requests", *requests},
         {"error", FailureText(status)},
         {"interval", config::FormatDuration(delay)}});
  }
  delivery->sleeping = true;
  // Abandon cancels the timer before the sender ends; a weak pointer, because the delivery owns the timer.
  delivery->retry = loop_.PostAfter(delay, [this, weak = std::weak_ptr(delivery)] {
    if (const DeliveryPtr woken = weak.lock()) Attempt(woken);
  });
  return true;
}

void RequestSender::End(const DeliveryPtr& delivery, Status status) {
  active_requests_ -= active_.erase(delivery);
  if (delivery->ended) std::move(delivery->ended)(std::move(status));
}

void RequestSender::Hurry() {
  hurries_ = true;
  for (const DeliveryPtr& delivery : active_) {
    if (!delivery->sleeping) continue;
    delivery->retry.Cancel();
    Attempt(delivery);
  }
}

size_t RequestSender::Abandon() {
  abandoned_ = true;
  on_progress_ = nullptr;
  std::vector<DeliveryPtr> given_up(ready_.begin(), ready_.end());
  ready_.clear();
  for (const DeliveryPtr& delivery : active_) {
    if (!delivery->sleeping && !delivery->splitting) continue;
    delivery->retry.Cancel();
    given_up.push_back(delivery);
  }
  size_t spans = 0;
  for (const DeliveryPtr& delivery : given_up) {
    spans += delivery->request.spans;
    End(delivery, Stopped());
  }
  return spans;
}

}  // namespace spanloom::pipeline
