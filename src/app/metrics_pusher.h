// SPDX-License-Identifier: Apache-2.0
//
// Sends the metrics of this process to a destination, now and then.

#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metric_views.h"
#include "base/metrics.h"
#include "base/status.h"
#include "net/loop.h"
#include "pipeline/own_metrics_config.h"

namespace spanloom::app {

// Made, stopped and destroyed on a thread that is not a loop's. Reports are made on a worker and sent on a loop, one at
// a time: one that is due while another is under way is left out. One that fails is not sent again, since the next one
// says the same and more. Counts spanloom_own_metric_points_exported, and spanloom_own_metric_reports_failed by cause:
// busy (left out), refused, unreachable.
class MetricsPusher {
 public:
  // Connects with the first report. Metrics are sent as `views` have them; `resource` is that of the metrics, encoded;
  // `begin_unix_ns` is when the process began. `loops`, `clock` and `metrics` must outlive it. Errors: those of
  // sdk::OtlpSender::Create.
  static StatusOr<std::unique_ptr<MetricsPusher>> Create(const pipeline::MetricsPush& push,
                                                         std::vector<MetricView> views, std::string resource,
                                                         int64_t begin_unix_ns, net::LoopPool& loops,
                                                         const Clock& clock, MetricRegistry& metrics);
  ~MetricsPusher();

  // Sends a last report, and waits for its answer for at most `grace`. Later calls do nothing.
  void Stop(std::chrono::milliseconds grace);

 private:
  class State;
  explicit MetricsPusher(std::shared_ptr<State> state) : state_(std::move(state)) {}

  const std::shared_ptr<State> state_;  // shared with tasks and answers under way
};

}  // namespace spanloom::app
