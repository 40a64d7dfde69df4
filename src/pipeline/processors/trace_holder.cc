// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/trace_holder.h"

#include <algorithm>
#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/text.h"
#include "net/loop_call.h"

namespace spanloom::pipeline {

uint64_t TraceKeeper::GiveUp() {
  uint64_t spans = 0;
  while (HeldTrace* const trace = traces_.OldestWaiting()) {
    spans += trace->spans.span_count();
    traces_.Remove(*trace);
  }
  return spans;
}

// Everything but the counts, the contexts and undelivered_spans() is bound to `loop_`.
class TraceHolder::State : public std::enable_shared_from_this<TraceHolder::State> {
 public:
  State(std::string id, const BuildContext& context, Consumer& next, const TraceHolderLimits& limits,
        const MakeKeeper& make_keeper)
      : id_(std::move(id)),
        limits_(limits),
        loop_(context.loops.Next()),
        clock_(context.clock),
        releases_(std::make_shared<ReleaseQueue>(loop_, next,
                                                 MetricLabels{{"processor", id_}, {"pipeline", context.pipeline}},
                                                 context.metrics, context.clock, limits.release, [this] { GoOn(); })),
        keeper_(
            make_keeper({.release = [this](otlp::Slice slice) { releases_->Push(std::move(slice)); },
                         .lose = [this](uint64_t spans, const Status& cause,
                                        std::string_view advice) { releases_->drops().Count(spans, cause, advice); },
                         .lose_as_too_large = [this](uint64_t spans) { releases_->drops().CountTooLarge(spans); }})) {}

  [[nodiscard]] net::Loop& loop() { return loop_; }
  [[nodiscard]] otlp::ContextTable& contexts() { return contexts_; }
  [[nodiscard]] std::atomic<size_t>& batches_coming() { return batches_coming_; }
  [[nodiscard]] Notification& drained() { return drained_; }
  [[nodiscard]] size_t trace_count() const { return keeper_->traces().size(); }
  [[nodiscard]] uint64_t held_spans() const { return keeper_->traces().span_count() + releases_->held_spans(); }
  [[nodiscard]] uint64_t undelivered_spans() const { return given_up_.load() + releases_->abandoned_spans(); }

  void Add(std::vector<otlp::DetachedTrace> traces, Done done);
  // Brings everything to its end, and notifies drained() when nothing is left.
  void Drain();
  void Abandon();
  void Hurry() {
    if (!drained_.HasBeenNotified()) drained_.Notify();
  }

 private:
  [[nodiscard]] Status Admit(const std::vector<otlp::DetachedTrace>& traces);
  [[nodiscard]] bool IsReleasedFull() const { return releases_->wire_bytes() >= limits_.released_bytes_max; }
  [[nodiscard]] size_t held_bytes() const { return keeper_->traces().held_bytes() + contexts_.held_bytes(); }
  // The next trace to be settled, or null.
  [[nodiscard]] HeldTrace* Next(int64_t now_ns);
  // Settles what is to be settled, a piece now and the rest later.
  void GoOn();
  void GoOnLater();
  void MakeRoom(int64_t now_ns);
  void Settle(HeldTrace& trace, int64_t now_ns, size_t& spans_left);
  void ArmTick();
  void LoseAtStop();

  const std::string id_;
  const TraceHolderLimits limits_;
  net::Loop& loop_;
  const Clock& clock_;
  otlp::ContextTable contexts_;
  const std::shared_ptr<ReleaseQueue> releases_;  // shared with answers under way
  const std::unique_ptr<TraceKeeper> keeper_;
  Notification drained_;
  std::atomic<uint64_t> given_up_ = 0;
  std::atomic<size_t> batches_coming_ = 0;
  bool is_armed_ = false;  // tick_ is running
  bool goes_on_ = false;   // a task to go on is posted
  bool draining_ = false;
  bool abandoned_ = false;
  net::Timer tick_;
};

Status TraceHolder::State::Admit(const std::vector<otlp::DetachedTrace>& traces) {
  if (draining_ || abandoned_) return absl::UnavailableError(StrCat("processor ", id_, " is stopped"));
  Status status = keeper_->Admit(traces);
  if (IsReleasedFull()) {
    status = absl::UnavailableError(StrCat("processor ", id_, " holds ", releases_->held_spans(),
                                           " spans that the exporter does not take; its limit is ",
                                           limits_.released_bytes_max, " bytes"));
  }
  return status.ok() ? status : WithRetryDelay(status, limits_.release.retry_delay);
}

void TraceHolder::State::Add(std::vector<otlp::DetachedTrace> traces, Done done) {
  --batches_coming_;
  if (Status status = Admit(traces); !status.ok()) return std::move(done)(std::move(status));
  const int64_t now_ns = clock_.SteadyNs();
  for (otlp::DetachedTrace& trace : traces) keeper_->Take(std::move(trace), now_ns);
  std::move(done)(absl::OkStatus());
  MakeRoom(now_ns);
  releases_->Send();
  ArmTick();
}

void TraceHolder::State::MakeRoom(int64_t now_ns) {
  size_t no_limit = SIZE_MAX;
  while (held_bytes() > limits_.held_bytes_max) {
    HeldTrace* const oldest = keeper_->traces().OldestWaiting();
    if (oldest == nullptr) return;
    Settle(*oldest, now_ns, no_limit);
  }
}

void TraceHolder::State::Settle(HeldTrace& trace, int64_t now_ns, size_t& spans_left) {
  spans_left -= std::min(spans_left, std::max<size_t>(1, trace.spans.span_count()));
  keeper_->Settle(trace, now_ns);
}

HeldTrace* TraceHolder::State::Next(int64_t now_ns) {
  if (draining_) return keeper_->traces().OldestWaiting();
  return IsReleasedFull() ? nullptr : keeper_->traces().NextDue(now_ns);
}

void TraceHolder::State::GoOn() {
  if (abandoned_) return;
  const int64_t now_ns = clock_.SteadyNs();
  HeldTrace* trace = Next(now_ns);
  const bool settles = trace != nullptr;
  for (size_t spans_left = limits_.piece_spans; trace != nullptr && spans_left > 0; trace = Next(now_ns)) {
    Settle(*trace, now_ns, spans_left);
  }
  if (settles) keeper_->OnRound(clock_.SteadyNs() - now_ns);
  releases_->Send();
  if (trace != nullptr) return GoOnLater();
  if (draining_ && releases_->idle()) Hurry();
}

void TraceHolder::State::GoOnLater() {
  if (std::exchange(goes_on_, true)) return;
  loop_.Post([self = shared_from_this()] {
    self->goes_on_ = false;
    self->GoOn();
  });
}

void TraceHolder::State::ArmTick() {
  if (is_armed_ || draining_ || keeper_->traces().OldestWaiting() == nullptr) return;
  is_armed_ = true;
  const auto tick = limits_.tick.count() > 0 ? limits_.tick : keeper_->traces().resolution();
  tick_ = loop_.PostAfter(tick, [this] {
    is_armed_ = false;
    GoOn();
    ArmTick();
  });
}

void TraceHolder::State::LoseAtStop() {
  const uint64_t spans = keeper_->GiveUp();
  given_up_ += spans;
  releases_->drops().CountShutdown(spans);
}

void TraceHolder::State::Drain() {
  draining_ = true;
  tick_.Cancel();
  if (!keeper_->settles_at_stop()) LoseAtStop();
  releases_->Hasten();
  GoOn();
}

void TraceHolder::State::Abandon() {
  abandoned_ = true;
  tick_.Cancel();
  LoseAtStop();
  releases_->Abandon();
}

TraceHolder::TraceHolder(const ComponentId& id, const BuildContext& context, Consumer& next, const Traits& traits,
                         const TraceHolderLimits& limits, const MakeKeeper& make_keeper)
    : traits_(traits),
      limits_(limits),
      state_(std::make_shared<State>(id.ToString(), context, next, limits, make_keeper)) {
  Show(context.metrics.AddGauge("spanloom_processor_held_spans", "Spans that a processor holds.",
                                {{"processor", id.ToString()}, {"pipeline", context.pipeline}},
                                [state = state_] { return static_cast<double>(state->held_spans()); }));
}

TraceHolder::~TraceHolder() {
  // Timers end on their loop.
  RunOn(state_->loop(), [this] { state_->Abandon(); });
}

void TraceHolder::Consume(otlp::Batch batch, Done done) {
  std::vector<otlp::DetachedTrace> traces = otlp::DetachByTrace(batch, state_->contexts());
  ++state_->batches_coming();
  state_->loop().Post([state = state_, traces = std::move(traces), done = std::move(done)]() mutable {
    state->Add(std::move(traces), std::move(done));
  });
}

void TraceHolder::Stop(std::chrono::milliseconds grace) {
  state_->loop().Post([state = state_] { state->Drain(); });
  state_->drained().WaitFor(grace);
  RunOn(state_->loop(), [this] { state_->Abandon(); });
}

void TraceHolder::HurryStop() {
  state_->loop().Post([state = state_] { state->Hurry(); });
}

HoldLimits TraceHolder::hold_limits() const {
  return {.bytes = limits_.held_bytes_max + limits_.released_bytes_max, .time = traits_.wait};
}

uint64_t TraceHolder::undelivered_spans() const {
  return state_->undelivered_spans();
}

std::function<size_t()> TraceHolder::TraceCount() const {
  return [state = state_] { return state->trace_count(); };
}

std::function<size_t()> TraceHolder::BatchesComing() const {
  return [state = state_] { return state->batches_coming().load(); };
}

}  // namespace spanloom::pipeline
