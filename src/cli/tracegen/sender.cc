// SPDX-License-Identifier: Apache-2.0

#include "cli/tracegen/sender.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/text.h"
#include "net/loop_call.h"

namespace spanloom::cli::tracegen {

StatusOr<std::unique_ptr<Sender>> Sender::Create(net::Loop& loop, const Clock& clock, SenderOptions options,
                                                 std::stop_token stop, const TransportFactory& make_transport) {
  auto sender = std::unique_ptr<Sender>(new Sender(loop, clock, options));
  Status status;
  net::RunOn(loop, [&] {
    StatusOr<std::unique_ptr<Transport>> transport = make_transport(loop);
    status = transport.status();
    if (transport.ok()) sender->transport_ = *std::move(transport);
  });
  RETURN_IF_ERROR(status);
  sender->on_stop_.emplace(std::move(stop), [raw_sender = sender.get()] { raw_sender->BeginStop(); });
  return sender;
}

Sender::Sender(net::Loop& loop, const Clock& clock, SenderOptions options)
    : loop_(loop), clock_(clock), options_(options), rng_(options.seed) {}

Sender::~Sender() {
  on_stop_.reset();
  Drain();
  net::RunOn(loop_, [this] { transport_.reset(); });
}

bool Sender::Submit(ExportRequest request) {
  auto delivery = std::make_unique<Delivery>();
  delivery->spans = request.spans;
  const size_t plain_bytes = request.wire.size();
  delivery->body = options_.compression == net::Compression::kNone ? Bytes(std::move(request.wire))
                                                                   : net::Compress(options_.compression, request.wire);
  uint64_t id = 0;
  {
    MutexLock lock(mutex_);
    mutex_.Await([this] { return HasPlaceOrStops(); });
    if (is_stopping_) return false;
    id = next_id_++;
    ++in_flight_;
    ++stats_.requests;
    stats_.plain_bytes += plain_bytes;
  }
  loop_.Post([this, id, delivery = std::move(delivery)]() mutable {
    deliveries_.emplace(id, std::move(delivery));
    Attempt(id);
  });
  return true;
}

void Sender::Drain() {
  MutexLock lock(mutex_);
  mutex_.Await([this] { return IsIdle(); });
}

DeliveryStats Sender::stats() const {
  MutexLock lock(mutex_);
  return stats_;
}

std::string Sender::last_problem() const {
  MutexLock lock(mutex_);
  return last_problem_;
}

void Sender::BeginStop() {
  {
    MutexLock lock(mutex_);
    is_stopping_ = true;
  }
  loop_.Post([this] { AbandonWaits(); });
}

void Sender::Attempt(uint64_t id) {
  Delivery& delivery = *deliveries_.at(id);
  delivery.wait.reset();
  ++delivery.attempts;
  {
    MutexLock lock(mutex_);
    ++stats_.attempts;
    stats_.wire_bytes += delivery.body.size();
  }
  delivery.started_ns = clock_.SteadyNs();
  transport_->Export(delivery.body, [this, id](ExportAnswer answer) { OnAnswer(id, std::move(answer)); });
}

void Sender::OnAnswer(uint64_t id, ExportAnswer answer) {
  if (!answer.status.ok()) {
    MutexLock lock(mutex_);
    last_problem_ = StrCat(answer.code, ": ", StdView(answer.status.message()));
  }
  if (MayTryAgain(*deliveries_.at(id), answer)) {
    WaitForAnotherTry(id, std::move(answer));
  } else {
    Finish(id, answer);
  }
}

bool Sender::MayTryAgain(const Delivery& delivery, const ExportAnswer& answer) const {
  return !answer.status.ok() && IsRetryable(answer.status) && delivery.attempts <= options_.retries_max &&
         !abandons_waits_;
}

void Sender::WaitForAnotherTry(uint64_t id, ExportAnswer answer) {
  Delivery& delivery = *deliveries_.at(id);
  const std::chrono::nanoseconds delay = DelayBefore(delivery.attempts, answer.status);
  delivery.last_answer = std::move(answer);
  delivery.wait = loop_.PostAfter(delay, [this, id] { Attempt(id); });
}

std::chrono::nanoseconds Sender::DelayBefore(int attempt, const Status& status) {
  std::chrono::duration<double, std::nano> delay = options_.backoff_first;
  for (int i = 1; i < attempt && delay < options_.backoff_max; ++i) delay *= 2;
  delay = std::min<std::chrono::duration<double, std::nano>>(delay, options_.backoff_max) * (0.8 + 0.4 * rng_.Unit());
  // What the receiver asks for is a minimum.
  if (const auto asked = RetryDelay(status))
    delay = std::min(*asked, options_.asked_delay_max) * (1 + 0.2 * rng_.Unit());
  return std::chrono::duration_cast<std::chrono::nanoseconds>(delay);
}

void Sender::AbandonWaits() {
  abandons_waits_ = true;
  std::vector<uint64_t> waiting;
  for (const auto& [id, delivery] : deliveries_) {
    if (delivery->wait) waiting.push_back(id);
  }
  for (uint64_t id : waiting) Finish(id, ExportAnswer(deliveries_.at(id)->last_answer));
}

void Sender::Finish(uint64_t id, const ExportAnswer& answer) {
  const std::unique_ptr<Delivery> delivery = std::move(deliveries_.at(id));
  deliveries_.erase(id);
  const int64_t duration_ns = clock_.SteadyNs() - delivery->started_ns;

  MutexLock lock(mutex_);
  if (answer.status.ok()) {
    stats_.Accept(answer, delivery->spans, duration_ns);
  } else if (!IsRetryable(answer.status)) {
    AddProblem(answer, delivery->spans, stats_.refused);
  } else if (delivery->attempts > options_.retries_max) {
    AddProblem(answer, delivery->spans, stats_.exhausted);
  } else {
    AddProblem(answer, delivery->spans, stats_.abandoned);
  }
  --in_flight_;
}

}  // namespace spanloom::cli::tracegen
