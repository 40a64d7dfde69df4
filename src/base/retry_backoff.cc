// SPDX-License-Identifier: Apache-2.0

#include "base/retry_backoff.h"

#include <algorithm>
#include <cstdint>

namespace spanloom {

RetryBackoff::RetryBackoff(const RetryIntervals& intervals)
    : interval_ns_(static_cast<double>(std::min(intervals.first, intervals.longest).count())),
      longest_ns_(static_cast<double>(intervals.longest.count())),
      multiplier_(intervals.multiplier),
      jitter_(intervals.jitter) {}

std::chrono::nanoseconds RetryBackoff::Next(Rng& rng) {
  const double interval_ns = interval_ns_;
  interval_ns_ = std::min(interval_ns * multiplier_, longest_ns_);
  const double spread = jitter_ * (2 * rng.Unit() - 1);
  return std::chrono::nanoseconds(static_cast<int64_t>(interval_ns * (1 + spread)));
}

}  // namespace spanloom
