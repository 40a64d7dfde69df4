// SPDX-License-Identifier: Apache-2.0

#include "base/quantile_sketch.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numbers>

namespace spanloom {
namespace {

constexpr double kGamma = (1 + QuantileSketch::kRelativeError) / (1 - QuantileSketch::kRelativeError);
constexpr double kLargest = std::numeric_limits<double>::max();
const double kLogGamma = std::log(kGamma);
const double kLogMiddle = std::log(2 / (1 + kGamma));  // from a bucket's upper bound to the value that stands for it

// Logarithms of doubles by their exponent, their highest 8 bits behind it, and a series for the rest: off by less than
// 1e-10, at a fifth of the cost of std::log.
class FastLog {
 public:
  FastLog() {
    for (size_t i = 0; i < kEntries; ++i) {
      const double middle = 1 + (static_cast<double>(i) + 0.5) / kEntries;
      entries_[i] = {.inverse = 1 / middle, .log = std::log(middle)};
    }
  }

  // `value` is positive, finite and no denormal.
  [[nodiscard]] double Of(double value) const {
    const auto bits = std::bit_cast<uint64_t>(value);
    const auto& [inverse, log] = entries_[bits >> (kMantissaBits - kIndexBits) & (kEntries - 1)];
    const auto exponent = static_cast<int>(bits >> kMantissaBits) - kExponentBias;
    const double mantissa = std::bit_cast<double>((bits & kMantissaMask) | kOne);
    const double rest = mantissa * inverse - 1;  // at most 2^-9
    return exponent * std::numbers::ln2 + log + rest * (1 - rest * (0.5 - rest * (1.0 / 3)));
  }

 private:
  static constexpr int kMantissaBits = 52;
  static constexpr int kIndexBits = 8;
  static constexpr size_t kEntries = size_t{1} << kIndexBits;
  static constexpr int kExponentBias = 1023;
  static constexpr uint64_t kMantissaMask = (uint64_t{1} << kMantissaBits) - 1;
  static constexpr uint64_t kOne = std::bit_cast<uint64_t>(1.0);

  struct Entry {
    double inverse = 0;
    double log = 0;
  };
  std::array<Entry, kEntries> entries_;
};

const FastLog kFastLog;

// `magnitude` is at least kZeroBelow. Near the border of two buckets the exact logarithm decides.
int32_t BucketOf(double magnitude) {
  constexpr double kNear = 1e-6;
  const double value = std::min(magnitude, kLargest);
  const double fast = kFastLog.Of(value) / kLogGamma;
  const double up = std::ceil(fast);
  if (up - fast > kNear && up - fast < 1 - kNear) return static_cast<int32_t>(up);
  return static_cast<int32_t>(std::ceil(std::log(value) / kLogGamma));
}

double UpperBound(int32_t bucket) {
  return std::min(std::exp(bucket * kLogGamma), kLargest);
}

// At most kRelativeError from every value of the bucket.
double Middle(int32_t bucket) {
  return std::min(std::exp(bucket * kLogGamma + kLogMiddle), kLargest);
}

}  // namespace

void QuantileSketch::Add(double value, uint64_t count) {
  if (std::isnan(value) || count == 0) return;
  count_ += count;
  const double magnitude = std::abs(value);
  if (magnitude < kZeroBelow) {
    zeros_ += count;
    return;
  }
  (value > 0 ? positive_ : negative_).Add(BucketOf(magnitude), count);
}

// What is left depends on the buckets only, not on the order in which they came: the highest that there was,
// kBucketsMax downwards, the lowest of these with the counts of all below it.
void QuantileSketch::Window::Add(int32_t bucket, uint64_t count) {
  if (count == 0) return;
  const int32_t highest = std::max(bucket, counts.empty() ? bucket : end() - 1);
  const int32_t lowest = highest - static_cast<int32_t>(kBucketsMax) + 1;
  if (!counts.empty() && first < lowest) CutTo(lowest);
  const int32_t place = std::max(bucket, lowest);
  if (counts.empty() || place < first || place >= end()) Widen(place);
  counts[static_cast<size_t>(place - first)] += count;
}

void QuantileSketch::Window::Widen(int32_t bucket) {
  if (counts.empty()) first = bucket;
  if (bucket < first) {
    counts.insert(counts.begin(), static_cast<size_t>(first - bucket), 0);
    first = bucket;
  }
  if (bucket >= end()) counts.resize(static_cast<size_t>(bucket - first) + 1);
}

void QuantileSketch::Window::CutTo(int32_t lowest) {
  const auto cut = std::min<size_t>(static_cast<size_t>(lowest - first), counts.size());
  uint64_t below = 0;
  for (size_t i = 0; i < cut; ++i) below += counts[i];
  counts.erase(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(cut));
  first = lowest;
  if (counts.empty()) counts.push_back(0);
  counts.front() += below;
}

void QuantileSketch::Window::Merge(const Window& other) {
  for (int32_t bucket = other.end() - 1; bucket >= other.first; --bucket) {
    Add(bucket, other.counts[static_cast<size_t>(bucket - other.first)]);
  }
}

void QuantileSketch::Merge(const QuantileSketch& other) {
  positive_.Merge(other.positive_);
  negative_.Merge(other.negative_);
  zeros_ += other.zeros_;
  count_ += other.count_;
}

double QuantileSketch::Quantile(double q) const {
  if (count_ == 0) return 0;
  const double position = std::clamp(q, 0.0, 1.0) * static_cast<double>(count_ - 1);
  const auto rank = std::min(static_cast<uint64_t>(position), count_ - 1);
  uint64_t below = 0;  // values of lower rank
  for (int32_t bucket = negative_.end() - 1; bucket >= negative_.first; --bucket) {
    below += negative_.counts[static_cast<size_t>(bucket - negative_.first)];
    if (below > rank) return -Middle(bucket);
  }
  below += zeros_;
  if (below > rank) return 0;
  for (int32_t bucket = positive_.first; bucket < positive_.end(); ++bucket) {
    below += positive_.counts[static_cast<size_t>(bucket - positive_.first)];
    if (below > rank) return Middle(bucket);
  }
  return Middle(positive_.end() - 1);
}

std::vector<QuantileSketch::Bucket> QuantileSketch::Buckets() const {
  std::vector<Bucket> buckets;
  for (int32_t bucket = negative_.end() - 1; bucket >= negative_.first; --bucket) {
    const uint64_t count = negative_.counts[static_cast<size_t>(bucket - negative_.first)];
    if (count == 0) continue;
    buckets.push_back({.lower = -UpperBound(bucket), .upper = -UpperBound(bucket - 1), .count = count});
  }
  if (zeros_ > 0) buckets.push_back({.lower = 0, .upper = 0, .count = zeros_});
  for (int32_t bucket = positive_.first; bucket < positive_.end(); ++bucket) {
    const uint64_t count = positive_.counts[static_cast<size_t>(bucket - positive_.first)];
    if (count == 0) continue;
    buckets.push_back({.lower = UpperBound(bucket - 1), .upper = UpperBound(bucket), .count = count});
  }
  return buckets;
}

}  // namespace spanloom
