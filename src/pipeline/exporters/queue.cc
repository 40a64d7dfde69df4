// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/queue.h"

#include <absl/strings/ascii.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "net/loop_call.h"
#include "pipeline/exporters/queue_state.h"

namespace spanloom::pipeline {
namespace {

// The name of a queue's directory: what is not plain in an id becomes "_".
std::string PlaceName(std::string_view exporter, otlp::Signal signal) {
  std::string name = StrCat("exporter_", exporter, "_", otlp::SignalText(signal));
  for (char& c : name) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '-') c = '_';
  }
  return name;
}

StatusOr<std::shared_ptr<const QueueStorage>> StorageOf(const SendingQueueOptions& options,
                                                        const BuildContext& context) {
  if (!options.is_on_disk()) return std::shared_ptr<const QueueStorage>();
  return context.extensions->Storage(options.storage);
}

}  // namespace

SendingQueue::SendingQueue(std::string exporter, std::shared_ptr<RequestEncoder> encoder,
                           const SendingQueueOptions& options, const RetryOptions& retry, const BuildContext& context,
                           net::Loop& loop, SendOnce send)
    : name_(PlaceName(exporter, context.signal)),
      options_(options),
      storage_(StorageOf(options, context)),
      encoder_(std::move(encoder)),
      state_(std::make_shared<State>(exporter, encoder_, options, retry, context, loop, std::move(send))) {
  const MetricLabels labels = {{"exporter", std::move(exporter)},
                               {"data_type", std::string(otlp::SignalText(context.signal))}};
  const auto add = [&](std::string_view name, std::string_view help, std::function<double()> read) {
    gauges_.push_back(context.metrics.AddGauge(name, help, labels, std::move(read)));
  };
  if (options.enabled) {
    add("otelcol_exporter_queue_capacity", "Fixed capacity of the sending queue (by its sizer).",
        [size = options.queue_size] { return static_cast<double>(size); });
    add("otelcol_exporter_queue_size", "Current size of the sending queue (by its sizer), with what is under way.",
        [state = state_] { return state->queue_size(); });
  }
  add("otelcol_exporter_in_flight_requests", "Number of requests in flight, those that wait to be sent again included.",
      [state = state_] { return static_cast<double>(state->active_requests()); });
  add(StrCat("spanloom_exporter_held_", otlp::ItemsText(context.signal)),
      "Items that were answered OK and wait or are in flight.",
      [state = state_] { return static_cast<double>(state->ledger().held_spans()); });
}

SendingQueue::~SendingQueue() {
  End();
}

void SendingQueue::End() {
  // Timers end on their loop.
  RunOn(state_->loop(), [this] { state_->Abandon(); });
  if (log_ == nullptr) return;
  // The last answers of the log come as tasks on the loop.
  log_->Close();
  RunOn(state_->loop(), [] {});
}

Status SendingQueue::Start() {
  if (!options_.is_on_disk()) return absl::OkStatus();
  RETURN_IF_ERROR(storage_.status());
  const QueueStorage& storage = **storage_;
  ASSIGN_OR_RETURN(
      log_, RequestLog::Open(storage.disk, store::disk::Join(storage.directory, name_), {.forces = storage.forces}));
  RunOn(state_->loop(), [this] { state_->KeepIn(log_); });
  return absl::OkStatus();
}

std::vector<std::string> SendingQueue::claims() const {
  if (!options_.is_on_disk() || !storage_.ok()) return {};
  return {StrCat("queue:", store::disk::Join((*storage_)->directory, name_))};
}

void SendingQueue::Consume(const otlp::Batch& batch, Done done) {
  if (batch.empty()) return std::move(done)(absl::OkStatus());
  if (state_->IsFull()) return std::move(done)(state_->Refuse(batch.span_count()));
  state_->TakeIn(batch, 0, std::move(done));
}

// Room for one batch.
class SendingQueue::Room final : public Admission {
 public:
  Room(std::shared_ptr<State> state, size_t reserved) : state_(std::move(state)), reserved_(reserved) {}
  ~Room() override { state_->GiveBack(reserved_); }

  void Commit(otlp::Batch batch, Done done) override {
    if (batch.empty()) return std::move(done)(absl::OkStatus());
    state_->TakeIn(batch, std::exchange(reserved_, 0), std::move(done));
  }

 private:
  const std::shared_ptr<State> state_;  // shared with the queue
  size_t reserved_;
};

StatusOr<std::unique_ptr<Admission>> SendingQueue::Reserve(const otlp::Batch& batch) {
  if (options_.block_on_overflow) return std::make_unique<Room>(state_, 0);
  ASSIGN_OR_RETURN(const size_t reserved, state_->Reserve(batch));
  return std::make_unique<Room>(state_, reserved);
}

void SendingQueue::Offer(std::vector<ExportRequest> requests, Done done) {
  if (requests.empty()) return std::move(done)(absl::OkStatus());
  state_->TakeIn(std::move(requests), encoder_->form(), 0, std::move(done));
}

void SendingQueue::GroupAs(const std::optional<Grouping>& grouping) {
  state_->loop().Post([state = state_, grouping] { state->GroupAs(grouping); });
}

bool SendingQueue::IsFull() const {
  return state_->IsFull();
}

void SendingQueue::Stop(std::chrono::milliseconds grace) {
  state_->loop().Post([state = state_] { state->Drain(); });
  state_->drained().WaitFor(grace);
  End();
}

void SendingQueue::HurryStop() {
  state_->loop().Post([state = state_] { state->Hurry(); });
}

uint64_t SendingQueue::undelivered_spans() const {
  return state_->ledger().undelivered_spans();
}

AckGrade SendingQueue::ack_grade() const {
  if (options_.is_on_disk()) return AckGrade::kStored;
  return options_.answers_early() ? AckGrade::kQueued : AckGrade::kDelivered;
}

std::string SendingQueue::safety() const {
  if (!options_.is_on_disk() || !storage_.ok()) return "";
  return (*storage_)->forces ? "on the disk, forced to the device until it is delivered"
                             : "on the disk until it is delivered, where a loss of power may lose the last seconds";
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
