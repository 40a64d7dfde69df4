// SPDX-License-Identifier: Apache-2.0
//
// A rate with bursts: tokens come steadily into a bucket that holds some, and whoever wants some takes them or goes
// without. As golang.org/x/time/rate, which the Collector's policies use.

#pragma once

#include <algorithm>
#include <cstdint>

namespace spanloom::pipeline {

// Full at first. Thread-compatible.
class TokenBucket {
 public:
  TokenBucket(int64_t tokens_per_second, int64_t capacity)
      : tokens_per_second_(static_cast<double>(tokens_per_second)),
        capacity_(static_cast<double>(capacity)),
        tokens_(capacity_) {}

  // Takes `tokens` if they are there. `now_ns`: steady time.
  bool Take(uint64_t tokens, int64_t now_ns) {
    if (last_ns_ != 0 && now_ns > last_ns_) {
      tokens_ = std::min(capacity_, tokens_ + static_cast<double>(now_ns - last_ns_) / 1e9 * tokens_per_second_);
    }
    last_ns_ = std::max(last_ns_, now_ns);
    if (static_cast<double>(tokens) > tokens_) return false;
    tokens_ -= static_cast<double>(tokens);
    return true;
  }

 private:
  const double tokens_per_second_;
  const double capacity_;
  double tokens_;
  int64_t last_ns_ = 0;
};

}  // namespace spanloom::pipeline
