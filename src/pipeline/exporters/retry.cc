// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/retry.h"

#include <utility>

#include "base/text.h"
#include "config/duration.h"

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

Status RetryOptions::Validate() const {
  if (!enabled || max_elapsed_time.count() == 0) return absl::OkStatus();
  for (const auto& [name, interval] :
       {std::pair("initial_interval", initial_interval), {"max_interval", max_interval}}) {
    if (max_elapsed_time >= interval) continue;
    return absl::InvalidArgumentError(
        StrCat("max_elapsed_time must not be less than ", name, ", ", config::FormatDuration(interval)));
  }
  return absl::OkStatus();
}

RetryBackoff RetryOptions::Backoff() const {
  return RetryBackoff(
      {.first = initial_interval, .longest = max_interval, .multiplier = multiplier, .jitter = randomization_factor});
}

}  // namespace spanloom::pipeline
