// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/batch.h"

#include <atomic>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "base/mutex.h"
#include "base/text.h"
#include "pipeline/drops.h"
#include "pipeline/loop_call.h"
#include "pipeline/slice_queue.h"

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kDropAdvice =
    "the exporter refuses this batch for good; see its error, and the receiver's message size limit behind it";

// Upper bounds of otelcol_processor_batch_batch_send_size, as the Collector has them.
const std::vector<double> kSendSizeBounds = {10,    25,     50,     75,     100,    250,    500,   750,
                                             1'000, 2'000,  3'000,  4'000,  5'000,  6'000,  7'000, 8'000,
                                             9'000, 10'000, 20'000, 30'000, 50'000, 100'000};

constexpr ComponentDoc kDoc = {
    .words =
        "Collects spans and passes them on together, by size or time. It answers at once, from bounded memory: what it "
        "holds is lost in a crash and delivered at a clean stop.",
    .example = R"(processors:
  batch:
    timeout: 1s
    send_batch_size: 1024
service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [batch]
      exporters: [spanloom_store]
)",
};

}  // namespace

void BatchOptions::Declare(config::OptionsReader& r) {
  r.Field("timeout", timeout, "Longest time that a span waits for others; 0 sends at once.");
  r.Field("send_batch_size", send_batch_size, "Size that makes a batch be sent before its timeout.",
          {.min = 0, .unit = "spans"});
  r.Field("send_batch_max_size", send_batch_max_size, "Largest size of one batch; 0 means no limit.",
          {.min = 0, .unit = "spans"});
  r.Unsupported("metadata_keys", "remove it; batches are not kept apart by client metadata");
}

Status BatchOptions::Validate() const {
  if (send_batch_max_size == 0 || send_batch_max_size >= send_batch_size) return absl::OkStatus();
  return absl::InvalidArgumentError("send_batch_max_size must be greater or equal to send_batch_size");
}

// Everything but undelivered_spans() and the counters is bound to `loop_`.
class BatchProcessor::State : public std::enable_shared_from_this<BatchProcessor::State> {
 public:
  State(std::string id, const BatchOptions& options, const BuildContext& context, Consumer& next,
        const BatchLimits& limits)
      : id_(std::move(id)),
        options_(options),
        limits_(limits),
        loop_(context.loops.Next()),
        next_(next),
        drops_({{"processor", id_}, {"pipeline", context.pipeline}}, context.metrics, context.clock),
        size_triggers_(TriggerCounter(context, "otelcol_processor_batch_batch_size_trigger_send", "size")),
        timeout_triggers_(TriggerCounter(context, "otelcol_processor_batch_timeout_trigger_send", "timeout")),
        send_sizes_(context.metrics.GetHistogram("otelcol_processor_batch_batch_send_size",
                                                 "Number of spans in the batch.", kSendSizeBounds,
                                                 {{"processor", id_}})) {}

  [[nodiscard]] net::Loop& loop() { return loop_; }
  [[nodiscard]] HoldLimits hold_limits() const {
    return {.spans = limits_.held_spans_max, .bytes = limits_.held_bytes_max, .time = options_.timeout};
  }
  [[nodiscard]] Notification& drained() { return drained_; }
  [[nodiscard]] uint64_t undelivered_spans() const { return undelivered_spans_.load(); }
  [[nodiscard]] uint64_t held_spans() const { return held_spans_.load(); }

  void Add(otlp::Batch batch, Done done);
  // Sends what is there without waiting for more, and notifies drained() when nothing is left.
  void Drain();
  // Gives up what has not been passed on.
  void Abandon();
  // Whoever waits for drained() waits no longer.
  void Hurry();

 private:
  Counter& TriggerCounter(const BuildContext& context, std::string_view name, std::string_view trigger) {
    return context.metrics.GetCounter(
        name, StrCat("Number of times the batch was sent due to a ", trigger, " trigger."), {{"processor", id_}});
  }
  [[nodiscard]] bool HasRoomFor(const otlp::Batch& batch) const;
  [[nodiscard]] bool IsFull() const;
  void SendIfDue();
  void Send();
  void OfferUnderWay();
  void OnAnswer(const Status& status);
  void OnTimeout();
  void ArmTimeout();
  void FinishUnderWay();

  const std::string id_;
  const BatchOptions options_;
  const BatchLimits limits_;
  net::Loop& loop_;
  Consumer& next_;
  DropCounter drops_;
  Counter& size_triggers_;
  Counter& timeout_triggers_;
  Histogram& send_sizes_;
  Notification drained_;
  std::atomic<uint64_t> undelivered_spans_ = 0;
  std::atomic<uint64_t> held_spans_ = 0;

  SliceQueue waiting_;
  otlp::Batch under_way_;  // offered to next_, or to be offered again
  size_t under_way_bytes_ = 0;
  bool sending_ = false;   // under_way_ is in use
  bool answered_ = false;  // next_ has refused it; retry_ is running
  bool due_ = false;       // the timeout has passed for what waits
  bool draining_ = false;
  bool abandoned_ = false;
  net::Timer timeout_;
  net::Timer retry_;
};

bool BatchProcessor::State::HasRoomFor(const otlp::Batch& batch) const {
  const size_t bytes = waiting_.wire_bytes() + under_way_bytes_;
  const size_t spans = waiting_.span_count() + under_way_.span_count();
  // A batch larger than the limits is taken when nothing else is held: refusing it for ever would help nobody.
  if (spans == 0) return true;
  return bytes + batch.wire_bytes() <= limits_.held_bytes_max && spans + batch.span_count() <= limits_.held_spans_max;
}

void BatchProcessor::State::Add(otlp::Batch batch, Done done) {
  if (abandoned_) return std::move(done)(absl::UnavailableError(StrCat("processor ", id_, " is stopped")));
  if (!HasRoomFor(batch)) {
    return std::move(done)(
        WithRetryDelay(absl::UnavailableError(StrCat("processor ", id_, " holds ", waiting_.span_count(),
                                                     " spans that the exporter does not take; its limit is ",
                                                     limits_.held_bytes_max, " bytes")),
                       limits_.retry_delay));
  }
  held_spans_ += batch.span_count();
  const bool was_empty = waiting_.empty();
  waiting_.Push(std::move(batch));
  std::move(done)(absl::OkStatus());
  if (was_empty && !waiting_.empty()) ArmTimeout();
  SendIfDue();
}

void BatchProcessor::State::ArmTimeout() {
  due_ = options_.timeout.count() == 0;
  if (due_) return;
  timeout_ = loop_.PostAfter(options_.timeout, [this] { OnTimeout(); });
}

void BatchProcessor::State::OnTimeout() {
  due_ = true;
  SendIfDue();
}

bool BatchProcessor::State::IsFull() const {
  const auto spans_min = static_cast<size_t>(options_.send_batch_size);
  return (spans_min > 0 && waiting_.span_count() >= spans_min) || waiting_.wire_bytes() >= limits_.batch_bytes_max;
}

void BatchProcessor::State::SendIfDue() {
  if (sending_) return;
  if (waiting_.empty()) {
    if (draining_ && !drained_.HasBeenNotified()) drained_.Notify();
    return;
  }
  const bool full = IsFull();
  // Without a size that would trigger it, every batch is sent at once, as in the Collector.
  if (!full && !due_ && !draining_ && options_.send_batch_size > 0) return;
  if (full) {
    size_triggers_.Add(1);
  } else if (due_) {
    timeout_triggers_.Add(1);
  }
  Send();
}

void BatchProcessor::State::Send() {
  const auto spans_max = options_.send_batch_max_size == 0 ? std::numeric_limits<size_t>::max()
                                                           : static_cast<size_t>(options_.send_batch_max_size);
  const size_t bytes_before = waiting_.wire_bytes();
  under_way_ = waiting_.Take(spans_max, limits_.batch_bytes_max);
  under_way_bytes_ = bytes_before - waiting_.wire_bytes();
  sending_ = true;
  send_sizes_.Add(static_cast<double>(under_way_.span_count()));
  // What is left starts its own wait, unless it was due too.
  timeout_.Cancel();
  if (!waiting_.empty() && !due_) ArmTimeout();
  if (waiting_.empty()) due_ = false;
  OfferUnderWay();
}

void BatchProcessor::State::OfferUnderWay() {
  answered_ = false;
  next_.Consume(under_way_, [self = shared_from_this()](Status status) {
    self->loop_.Post([self, status = std::move(status)] { self->OnAnswer(status); });
  });
}

void BatchProcessor::State::OnAnswer(const Status& status) {
  if (!status.ok() && abandoned_) {
    undelivered_spans_ += under_way_.span_count();
    drops_.CountShutdown(under_way_.span_count());
  } else if (!status.ok() && IsRetryable(status)) {
    answered_ = true;
    retry_ = loop_.PostAfter(RetryDelay(status).value_or(limits_.retry_delay), [this] { OfferUnderWay(); });
    return;
  } else if (!status.ok()) {
    drops_.Count(under_way_.span_count(), status, kDropAdvice);
  }
  FinishUnderWay();
  if (!abandoned_) SendIfDue();
}

void BatchProcessor::State::FinishUnderWay() {
  held_spans_ -= under_way_.span_count();
  under_way_ = otlp::Batch();
  under_way_bytes_ = 0;
  sending_ = false;
}

void BatchProcessor::State::Drain() {
  draining_ = true;
  if (answered_) {
    retry_.Cancel();
    OfferUnderWay();
  }
  SendIfDue();
}

void BatchProcessor::State::Hurry() {
  if (!drained_.HasBeenNotified()) drained_.Notify();
}

void BatchProcessor::State::Abandon() {
  abandoned_ = true;
  timeout_.Cancel();
  retry_.Cancel();
  uint64_t lost = waiting_.span_count();
  held_spans_ -= lost;
  waiting_ = SliceQueue();
  // A batch that next_ still has is counted when it answers.
  if (answered_) {
    lost += under_way_.span_count();
    answered_ = false;
    FinishUnderWay();
  }
  undelivered_spans_ += lost;
  drops_.CountShutdown(lost);
}

BatchProcessor::BatchProcessor(const ComponentId& id, const BatchOptions& options, const BuildContext& context,
                               Consumer& next, const BatchLimits& limits)
    : state_(std::make_shared<State>(id.ToString(), options, context, next, limits)),
      cardinality_gauge_(context.metrics.AddGauge("otelcol_processor_batch_metadata_cardinality",
                                                  "Number of distinct metadata value combinations being processed.",
                                                  {{"processor", id.ToString()}}, [] { return 1; })),
      held_gauge_(context.metrics.AddGauge("spanloom_processor_held_spans", "Spans that a processor holds.",
                                           {{"processor", id.ToString()}, {"pipeline", context.pipeline}},
                                           [state = state_] { return static_cast<double>(state->held_spans()); })) {}

BatchProcessor::~BatchProcessor() {
  // Timers end on their loop.
  RunOn(state_->loop(), [this] { state_->Abandon(); });
}

void BatchProcessor::Consume(otlp::Batch batch, Done done) {
  state_->loop().Post([state = state_, batch = std::move(batch), done = std::move(done)]() mutable {
    state->Add(std::move(batch), std::move(done));
  });
}

void BatchProcessor::Stop(std::chrono::milliseconds grace) {
  state_->loop().Post([state = state_] { state->Drain(); });
  state_->drained().WaitFor(grace);
  RunOn(state_->loop(), [this] { state_->Abandon(); });
}

void BatchProcessor::HurryStop() {
  state_->loop().Post([state = state_] { state->Hurry(); });
}

HoldLimits BatchProcessor::hold_limits() const {
  return state_->hold_limits();
}

uint64_t BatchProcessor::undelivered_spans() const {
  return state_->undelivered_spans();
}

void RegisterBatchProcessor(Registry& registry) {
  registry.processors.Add<BatchOptions>(
      "batch", kDoc,
      [](const ComponentId& id, const BatchOptions& options, const BuildContext& context, Consumer& next) {
        return std::make_unique<BatchProcessor>(id, options, context, next);
      });
}

}  // namespace spanloom::pipeline
