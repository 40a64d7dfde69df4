// SPDX-License-Identifier: Apache-2.0

#include "pipeline/connectors/metrics_outlet.h"

#include <absl/base/thread_annotations.h>

#include <utility>

#include "base/bytes.h"
#include "base/mutex.h"

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kAdvice =
    "cumulative series are told again with the next points; see why the metrics pipeline refuses";

}  // namespace

struct MetricsOutlet::Pending {
  Pending(const std::string& connector, const BuildContext& context)
      : drops({{"connector", connector}}, context.metrics, context.clock, otlp::Signal::kMetrics) {}
  DropCounter drops;
  Mutex mutex;
  size_t unanswered ABSL_GUARDED_BY(mutex) = 0;
};

MetricsOutlet::MetricsOutlet(const ComponentId& id, const BuildContext& context, Consumer& next)
    : next_(next), pending_(std::make_shared<Pending>(id.ToString(), context)) {}

void MetricsOutlet::Send(std::vector<MetricsRequest> requests) {
  for (MetricsRequest& request : requests) {
    {
      const MutexLock lock(pending_->mutex);
      ++pending_->unanswered;
    }
    otlp::Slice slice(Bytes(std::move(request.wire)), request.points, otlp::Signal::kMetrics);
    next_.Consume(otlp::Batch(std::move(slice)), [pending = pending_, points = request.points](const Status& status) {
      if (!status.ok()) pending->drops.Count(points, status, kAdvice);
      const MutexLock lock(pending->mutex);
      --pending->unanswered;
    });
  }
}

void MetricsOutlet::Drain(std::chrono::milliseconds grace) {
  const MutexLock lock(pending_->mutex);
  pending_->mutex.AwaitFor(
      [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(pending_->mutex) { return pending_->unanswered == 0; }, grace);
}

}  // namespace spanloom::pipeline
