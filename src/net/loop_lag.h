// SPDX-License-Identifier: Apache-2.0
//
// How late loops are: on each a timer is set ten times a second, and by how much it fires late is what any task that
// becomes due must wait. Shown as `spanloom_net_loop_lag_seconds{loop,quantile}` over the last minute.

#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "base/metrics.h"
#include "net/loop.h"

namespace spanloom::net {

// Watches the loops of a pool from its construction to its destruction, both on a thread that is not a loop's.
// Thread-compatible; `loops` and `metrics` must outlive it.
class LoopLag {
 public:
  LoopLag(LoopPool& loops, MetricRegistry& metrics);
  ~LoopLag();
  LoopLag(const LoopLag&) = delete;
  LoopLag& operator=(const LoopLag&) = delete;

  // What the share `quantile` in [0, 1] of the last minute's samples, over all loops, does not exceed; 0 without any.
  [[nodiscard]] std::chrono::nanoseconds Quantile(double quantile) const;

 private:
  class Probe;
  LoopPool& loops_;
  std::vector<std::shared_ptr<Probe>> probes_;  // [loops], shared with the loops' timers and the gauges
  std::vector<ScopedGauge> gauges_;
};

}  // namespace spanloom::net
