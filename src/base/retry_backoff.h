// SPDX-License-Identifier: Apache-2.0
//
// How long to wait before something is tried again: waits that grow by a factor up to a longest one, each made longer
// or shorter by chance, so that those who failed together do not come back together.

#pragma once

#include <chrono>

#include "base/rng.h"

namespace spanloom {

struct RetryIntervals {
  std::chrono::nanoseconds first{};    // above `longest`, that counts
  std::chrono::nanoseconds longest{};  // before jitter
  double multiplier = 2;               // at least 1
  double jitter = 0;                   // [0, 1], share of the wait
};

// The waits of one thing that is tried. Thread-compatible.
class RetryBackoff {
 public:
  explicit RetryBackoff(const RetryIntervals& intervals);

  // The next wait: interval * (1 +- jitter), where the interval grows by the multiplier up to the longest.
  std::chrono::nanoseconds Next(Rng& rng);

 private:
  double interval_ns_;
  double longest_ns_;
  double multiplier_;
  double jitter_;
};

}  // namespace spanloom
