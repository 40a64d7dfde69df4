// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/retry.h"

#include <algorithm>

namespace spanloom::pipeline {

void RetryOptions::Declare(config::OptionsReader& r) {
  r.Field("enabled", enabled, "Whether a request that failed for the moment is sent again.");
  r.Field("initial_interval", initial_interval, "Wait before the first repetition.");
  r.Field("randomization_factor", randomization_factor, "Share by which each wait is made longer or shorter by chance.",
          {.min = 0, .max = 1, .unit = "share of the wait"});
  r.Field("multiplier", multiplier, "How much longer each wait is than the one before.",
          {.min = 1, .max = 100, .unit = "times"});
  r.Field("max_interval", max_interval, "Longest wait.");
  r.Field("max_elapsed_time", max_elapsed_time, "Time after which a request is given up; 0 means never.");
}

RetryBackoff::RetryBackoff(const RetryOptions& options)
    : interval_ns_(static_cast<double>(options.initial_interval.count())),
      max_interval_ns_(static_cast<double>(options.max_interval.count())),
      multiplier_(options.multiplier),
      randomization_factor_(options.randomization_factor) {}

std::chrono::nanoseconds RetryBackoff::Next(Rng& rng) {
  const double spread = randomization_factor_ * (2 * rng.Unit() - 1);
  const double interval_ns = std::min(interval_ns_, max_interval_ns_);
  interval_ns_ = std::min(interval_ns * multiplier_, max_interval_ns_);
  return std::chrono::nanoseconds(static_cast<int64_t>(interval_ns * (1 + spread)));
}

}  // namespace spanloom::pipeline
