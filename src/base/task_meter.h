// SPDX-License-Identifier: Apache-2.0
//
// How often a task was done, and how long that took in all.

#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/metrics.h"

namespace spanloom {

// Thread-safe. `metrics` must outlive it.
class TaskMeter {
 public:
  // `count` and `seconds`: names of the two metrics, each with a sentence.
  struct Names {
    std::string_view count;
    std::string_view count_help;
    std::string_view seconds;
    std::string_view seconds_help;
  };
  TaskMeter(MetricRegistry& metrics, const Names& names)
      : tasks_(metrics.GetCounter(names.count, names.count_help)),
        seconds_(metrics.AddGauge(names.seconds, names.seconds_help, {},
                                  [this] { return static_cast<double>(ns_.load()) / 1e9; })) {}

  void Add(int64_t duration_ns) {
    ns_ += duration_ns;
    tasks_.Add(1);
  }

 private:
  std::atomic<int64_t> ns_ = 0;
  Counter& tasks_;
  ScopedGauge seconds_;  // goes first: it reads ns_
};

}  // namespace spanloom
