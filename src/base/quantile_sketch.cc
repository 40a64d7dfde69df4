// SPDX-License-Identifier: Apache-2.0

#include "base/quantile_sketch.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

namespace spanloom {
namespace {

constexpr double kGamma = (1 + QuantileSketch::kRelativeError) / (1 - QuantileSketch::kRelativeError);
constexpr double kLargest = std::numeric_limits<double>::max();
const double kLogGamma = std::log(kGamma);
const double kLogMiddle = std::log(2 / (1 + kGamma));  // from a bucket's upper bound to the value that stands for it

// `magnitude` is at least kZeroBelow.
int32_t BucketOf(double magnitude) {
  return static_cast<int32_t>(std::ceil(std::log(std::min(magnitude, kLargest)) / kLogGamma));
}

double UpperBound(int32_t bucket) {
  return std::min(std::exp(bucket * kLogGamma), kLargest);
}

// At most kRelativeError from every value of the bucket.
double Middle(int32_t bucket) {
  return std::min(std::exp(bucket * kLogGamma + kLogMiddle), kLargest);
}

// The lowest buckets become one. What is left depends on the set of buckets only, not on the order in which they came:
// the highest kBucketsMax of them, the lowest of these with the counts of all below it.
void Cap(std::map<int32_t, uint64_t>& buckets) {
  while (buckets.size() > QuantileSketch::kBucketsMax) {
    const auto lowest = buckets.begin();
    std::next(lowest)->second += lowest->second;
    buckets.erase(lowest);
  }
}

void MergeInto(const std::map<int32_t, uint64_t>& other, std::map<int32_t, uint64_t>& buckets) {
  for (const auto& [bucket, count] : other) buckets[bucket] += count;
  Cap(buckets);
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
  auto& buckets = value > 0 ? positive_ : negative_;
  buckets[BucketOf(magnitude)] += count;
  Cap(buckets);
}

void QuantileSketch::Merge(const QuantileSketch& other) {
  MergeInto(other.positive_, positive_);
  MergeInto(other.negative_, negative_);
  zeros_ += other.zeros_;
  count_ += other.count_;
}

double QuantileSketch::Quantile(double q) const {
  if (count_ == 0) return 0;
  const double position = std::clamp(q, 0.0, 1.0) * static_cast<double>(count_ - 1);
  const auto rank = std::min(static_cast<uint64_t>(position), count_ - 1);
  uint64_t below = 0;  // values of lower rank
  for (auto bucket = negative_.rbegin(); bucket != negative_.rend(); ++bucket) {
    below += bucket->second;
    if (below > rank) return -Middle(bucket->first);
  }
  below += zeros_;
  if (below > rank) return 0;
  for (const auto& [bucket, count] : positive_) {
    below += count;
    if (below > rank) return Middle(bucket);
  }
  return Middle(positive_.rbegin()->first);
}

std::vector<QuantileSketch::Bucket> QuantileSketch::Buckets() const {
  std::vector<Bucket> buckets;
  for (auto bucket = negative_.rbegin(); bucket != negative_.rend(); ++bucket) {
    const double lower = -UpperBound(bucket->first);
    buckets.push_back({.lower = lower, .upper = -UpperBound(bucket->first - 1), .count = bucket->second});
  }
  if (zeros_ > 0) buckets.push_back({.lower = 0, .upper = 0, .count = zeros_});
  for (const auto& [bucket, count] : positive_) {
    buckets.push_back({.lower = UpperBound(bucket - 1), .upper = UpperBound(bucket), .count = count});
  }
  return buckets;
}

}  // namespace spanloom
