// SPDX-License-Identifier: Apache-2.0
//
// When a failed request is sent again: exponential backoff with jitter, as the Collector's retry_on_failure.

#pragma once

#include <chrono>

#include "base/rng.h"
#include "config/options.h"

namespace spanloom::pipeline {

struct RetryOptions {
  bool enabled = true;
  std::chrono::nanoseconds initial_interval = std::chrono::seconds(5);
  double randomization_factor = 0.5;
  double multiplier = 1.5;
  std::chrono::nanoseconds max_interval = std::chrono::seconds(30);
  std::chrono::nanoseconds max_elapsed_time = std::chrono::minutes(5);  // 0: for ever
  void Declare(config::OptionsReader& r);
};

// The waits of one request. Thread-compatible.
class RetryBackoff {
 public:
  explicit RetryBackoff(const RetryOptions& options);

  // The next wait: interval * (1 +- randomization_factor), where the interval grows by the multiplier up to
  // max_interval.
  std::chrono::nanoseconds Next(Rng& rng);

 private:
  double interval_ns_;
  const double max_interval_ns_;
  const double multiplier_;
  const double randomization_factor_;
};

}  // namespace spanloom::pipeline
