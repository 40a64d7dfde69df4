// SPDX-License-Identifier: Apache-2.0
//
// A histogram whose buckets grow by a factor of 2^(2^-scale), and become coarser when the values need more of them than
// it may have. Specification: OpenTelemetry, "Metrics Data Model", ExponentialHistogram.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "otlp/metrics_writer.h"

namespace spanloom::pipeline {

inline constexpr int32_t kExponentialScaleMax = 20;  // the specification's "perfect" mapping ends here
inline constexpr size_t kExponentialSizeDefault = 160;
inline constexpr size_t kExponentialSizeMin = 2;  // one would have to hold every double
inline constexpr size_t kExponentialSizeMax = 16'384;

// The bucket of `value`, which is positive and finite: i for values in (base^i, base^(i+1)].
[[nodiscard]] int32_t ExponentialIndex(double value, int32_t scale);

// Of values that are not negative. Thread-compatible.
class ExponentialHistogram {
 public:
  // `size_max` buckets, from kExponentialSizeMin to kExponentialSizeMax.
  explicit ExponentialHistogram(size_t size_max) : size_max_(size_max) {}

  void Add(double value, uint64_t times);
  [[nodiscard]] uint64_t count() const { return count_; }
  // Borrows the buckets.
  [[nodiscard]] otlp::ExponentialFields fields() const;

 private:
  // Halves the resolution `steps` times.
  void Coarsen(int32_t steps);
  // Makes `index` one of the buckets; there is room.
  void Reach(int32_t index);

  size_t size_max_;
  int32_t scale_ = kExponentialScaleMax;
  uint64_t count_ = 0;
  uint64_t zero_count_ = 0;
  double sum_ = 0;
  double min_ = 0;
  double max_ = 0;
  int32_t offset_ = 0;             // index of the first bucket
  std::vector<uint64_t> buckets_;  // [0, size_max_]
};

}  // namespace spanloom::pipeline
