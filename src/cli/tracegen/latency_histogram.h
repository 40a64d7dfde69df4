// SPDX-License-Identifier: Apache-2.0
//
// Durations counted in buckets whose width grows with the value: a run of any length takes 16 KiB.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace spanloom::cli::tracegen {

// Thread-compatible. A quantile is at most 1/32 (3.2 %) above the true value and never below it.
class LatencyHistogram {
 public:
  // Negative durations count as 0.
  void Record(int64_t duration_ns);

  // The duration that a share `quantile` (0 to 1) of the recorded ones does not exceed; 0 if there are none.
  [[nodiscard]] int64_t QuantileNs(double quantile) const;

  [[nodiscard]] uint64_t count() const { return count_; }

 private:
  static constexpr int kSubBits = 5;  // 32 buckets to each power of two
  static constexpr size_t kBuckets = (64 - kSubBits + 1) << kSubBits;

  static size_t BucketOf(uint64_t value);
  static int64_t UpperBoundOf(size_t bucket);

  std::array<uint64_t, kBuckets> counts_{};
  uint64_t count_ = 0;
};

}  // namespace spanloom::cli::tracegen
