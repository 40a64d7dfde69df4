// SPDX-License-Identifier: Apache-2.0

#include "app/metrics_pusher.h"

#include <absl/base/thread_annotations.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "app/metrics_report.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/text.h"
#include "net/loop_call.h"
#include "pipeline/log_limiter.h"
#include "sdk/console_sender.h"
#include "sdk/otlp_sender.h"

namespace spanloom::app {
namespace {

constexpr std::chrono::minutes kLogInterval{1};  // between lines about an outage; guess

Counter& FailedReports(MetricRegistry& metrics, const std::string& cause) {
  return metrics.GetCounter("spanloom_own_metric_reports_failed",
                            "Reports of the metrics of this process that were not delivered, by cause.",
                            {{"cause", cause}});
}

}  // namespace

// Bound to `loop_`, but for the reporter, which belongs to whoever makes or has made the report under way: a worker,
// then the loop.
class MetricsPusher::State : public std::enable_shared_from_this<MetricsPusher::State> {
 public:
  State(const pipeline::MetricsPush& push, std::vector<MetricView> views, std::string resource, int64_t begin_unix_ns,
        net::LoopPool& loops, const Clock& clock, MetricRegistry& metrics)
      : push_(push),
        views_(std::move(views)),
        loops_(loops),
        loop_(loops.Next()),
        clock_(clock),
        metrics_(metrics),
        reporter_(std::move(resource), push.has_deltas, begin_unix_ns),
        console_(loops, otlp::Signal::kMetrics),
        log_(clock, kLogInterval),
        exported_(metrics.GetCounter("spanloom_own_metric_points_exported",
                                     "Data points of the metrics of this process that were delivered.")),
        busy_(FailedReports(metrics, "busy")),
        refused_(FailedReports(metrics, "refused")),
        unreachable_(FailedReports(metrics, "unreachable")) {}

  [[nodiscard]] net::Loop& loop() { return loop_; }

  Status Begin() {
    if (push_.destination) {
      ASSIGN_OR_RETURN(sender_, sdk::OtlpSender::Create(loop_, *push_.destination));
    }
    Wait();
    return absl::OkStatus();
  }

  // A last report, after the one under way.
  void Finish() {
    timer_.Cancel();
    if (is_ending_) return;
    is_ending_ = true;
    if (is_busy_) return;
    is_last_ = true;
    Report();
  }

  void Close() {
    timer_.Cancel();
    is_ending_ = true;
    is_last_ = true;
    sender_.reset();
    SetIdle();
  }

  // Returns when the last report was answered, or when `grace` is over.
  void AwaitIdle(std::chrono::milliseconds grace) ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(mutex_);
    mutex_.AwaitFor([this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return is_idle_; }, grace);
  }

 private:
  void Wait() {
    timer_ = loop_.PostAfter(push_.interval, [this] {
      Wait();
      if (is_busy_) return Fail(busy_, absl::ResourceExhaustedError("the report before is still under way"));
      Report();
    });
  }

  void Report() {
    is_busy_ = true;
    const bool is_taken = loops_.workers().Submit([self = shared_from_this()] {
      MetricsReporter::Report report =
          self->reporter_.Encode(ApplyViews(self->metrics_.Snapshot(), self->views_), self->clock_.UnixNs());
      self->loop_.Post([self, report = std::move(report)] { self->Send(Bytes(report.request), report.points); });
    });
    if (is_taken) return;
    Fail(busy_, absl::ResourceExhaustedError("the workers are busy"));
    End();
  }

  void Send(const Bytes& request, size_t points) {
    auto done = [self = shared_from_this(), points](StatusOr<size_t> rejected) {
      self->loop_.Post([self, points, rejected = std::move(rejected)] { self->OnAnswer(points, rejected); });
    };
    if (!push_.destination) return console_.Send(request, std::move(done));
    if (sender_ != nullptr) sender_->Send(request, std::move(done));
  }

  void OnAnswer(size_t points, const StatusOr<size_t>& rejected) {
    if (rejected.ok()) {
      exported_.Add(points - std::min(points, *rejected));
      reporter_.Delivered();
      if (*rejected > 0) Fail(refused_, absl::InvalidArgumentError(StrCat(*rejected, " points were rejected")));
    } else {
      Fail(IsRetryable(rejected.status()) ? unreachable_ : refused_, rejected.status());
    }
    End();
  }

  void Fail(Counter& cause, const Status& status) {
    cause.Add(1);
    const auto times = log_.Admit(1);
    if (!times) return;
    Log(LogLevel::kWarn, "the metrics of this process can't be delivered",
        {{"times", *times},
         {"error", StdView(status.message())},
         {"advice", "see service.telemetry.metrics.readers and the destination"}});
  }

  void End() {
    is_busy_ = false;
    if (!is_ending_) return;
    // One that was under way when the end came is not the last one.
    if (std::exchange(is_last_, true)) return SetIdle();
    Report();
  }

  void SetIdle() ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(mutex_);
    is_idle_ = true;
  }

  const pipeline::MetricsPush push_;
  const std::vector<MetricView> views_;
  net::LoopPool& loops_;
  net::Loop& loop_;
  const Clock& clock_;
  MetricRegistry& metrics_;
  MetricsReporter reporter_;
  const sdk::ConsoleSender console_;
  pipeline::LogLimiter log_;
  Counter& exported_;
  Counter& busy_;
  Counter& refused_;
  Counter& unreachable_;
  std::unique_ptr<sdk::OtlpSender> sender_;  // null after Close, and for standard output
  net::Timer timer_;
  bool is_busy_ = false;    // a report is under way
  bool is_ending_ = false;  // no more of them by time
  bool is_last_ = false;    // the one under way is the last one

  Mutex mutex_;
  bool is_idle_ ABSL_GUARDED_BY(mutex_) = false;  // the last report is over
};

StatusOr<std::unique_ptr<MetricsPusher>> MetricsPusher::Create(const pipeline::MetricsPush& push,
                                                               std::vector<MetricView> views, std::string resource,
                                                               int64_t begin_unix_ns, net::LoopPool& loops,
                                                               const Clock& clock, MetricRegistry& metrics) {
  auto state =
      std::make_shared<State>(push, std::move(views), std::move(resource), begin_unix_ns, loops, clock, metrics);
  Status status;
  net::RunOn(state->loop(), [&] { status = state->Begin(); });
  RETURN_IF_ERROR(Annotate(status, "service.telemetry.metrics"));
  return std::unique_ptr<MetricsPusher>(new MetricsPusher(std::move(state)));
}

MetricsPusher::~MetricsPusher() {
  Stop(std::chrono::milliseconds(0));
}

void MetricsPusher::Stop(std::chrono::milliseconds grace) {
  if (grace.count() > 0) {
    net::RunOn(state_->loop(), [this] { state_->Finish(); });
    state_->AwaitIdle(grace);
  }
  net::RunOn(state_->loop(), [this] { state_->Close(); });
}

}  // namespace spanloom::app
