// SPDX-License-Identifier: Apache-2.0
//
// How this process is doing, as metrics under the Collector's names. What its Go runtime counts and nobody counts here
// (bytes allocated since the start) is not among them.

#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "config/options.h"

namespace spanloom::app {

// Shown as long as it lives.
class ProcessMetrics {
 public:
  // `begin_ns`: the steady time at which the process began. `resource`: the labels of target_info. `metrics` and
  // `clock` must outlive it.
  ProcessMetrics(MetricRegistry& metrics, const Clock& clock, int64_t begin_ns, const MetricLabels& resource);

 private:
  std::vector<ScopedGauge> gauges_;
};

}  // namespace spanloom::app
