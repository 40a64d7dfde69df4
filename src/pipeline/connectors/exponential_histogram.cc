// SPDX-License-Identifier: Apache-2.0

#include "pipeline/connectors/exponential_histogram.h"

#include <algorithm>
#include <cmath>

namespace spanloom::pipeline {

int32_t ExponentialIndex(double value, int32_t scale) {
  int exponent = 0;
  const double fraction = std::frexp(value, &exponent);  // value = fraction * 2^exponent, fraction in [0.5, 1)
  const bool is_power = fraction == 0.5;                 // which is the upper end of its bucket
  if (scale <= 0) return (exponent - (is_power ? 2 : 1)) >> -scale;
  if (is_power) return ((exponent - 1) << scale) - 1;
  // The logarithm of the fraction alone is exact enough; rounding must not leave the power of two.
  const auto within = static_cast<int32_t>(std::floor(std::ldexp(std::log2(fraction), scale)));
  const int32_t power = exponent << scale;
  return std::clamp(power + within, power - (1 << scale), power - 1);
}

void ExponentialHistogram::Add(double value, uint64_t times) {
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = count_ == 0 ? value : std::max(max_, value);
  count_ += times;
  sum_ += value * static_cast<double>(times);
  if (value <= 0) {
    zero_count_ += times;
    return;
  }
  int32_t index = ExponentialIndex(value, scale_);
  if (buckets_.empty()) offset_ = index;
  int32_t low = std::min(index, offset_);
  int32_t high = std::max(index, offset_ + std::max(0, static_cast<int32_t>(buckets_.size()) - 1));
  int32_t steps = 0;
  for (; high - low >= static_cast<int32_t>(size_max_); ++steps) {
    low >>= 1;
    high >>= 1;
  }
  Coarsen(steps);
  index >>= steps;
  Reach(index);
  buckets_[static_cast<size_t>(index - offset_)] += times;
}

void ExponentialHistogram::Coarsen(int32_t steps) {
  if (steps == 0) return;
  const int32_t offset = offset_ >> steps;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    const auto to = static_cast<size_t>(((offset_ + static_cast<int32_t>(i)) >> steps) - offset);
    if (to == i) continue;
    buckets_[to] += buckets_[i];
    buckets_[i] = 0;
  }
  if (!buckets_.empty()) {
    const int32_t last = (offset_ + static_cast<int32_t>(buckets_.size()) - 1) >> steps;
    buckets_.resize(static_cast<size_t>(last - offset) + 1);
  }
  offset_ = offset;
  scale_ -= steps;
}

void ExponentialHistogram::Reach(int32_t index) {
  if (index < offset_) {
    buckets_.insert(buckets_.begin(), static_cast<size_t>(offset_ - index), 0);
    offset_ = index;
  }
  const auto position = static_cast<size_t>(index - offset_);
  if (position >= buckets_.size()) buckets_.resize(position + 1);
}

otlp::ExponentialFields ExponentialHistogram::fields() const {
  return {.count = count_,
          .sum = sum_,
          .scale = buckets_.empty() ? 0 : scale_,
          .zero_count = zero_count_,
          .min = min_,
          .max = max_,
          .positive_offset = offset_,
          .positive_counts = buckets_};
}

}  // namespace spanloom::pipeline
