// SPDX-License-Identifier: Apache-2.0
//
// When a failed request is sent again: exponential backoff with jitter, as the Collector's retry_on_failure.

#pragma once

#include <chrono>

#include "base/retry_backoff.h"
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
  [[nodiscard]] Status Validate() const;

  // The waits of one request.
  [[nodiscard]] RetryBackoff Backoff() const;
};

}  // namespace spanloom::pipeline
