// SPDX-License-Identifier: Apache-2.0

#include "base/quantile_sketch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "base/rng.h"

namespace spanloom {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kLargest = std::numeric_limits<double>::max();

// Values over some decades, of both signs, with zeros between them.
std::vector<double> RandomValues(Rng& rng, size_t count, double decades) {
  std::vector<double> values;
  for (size_t i = 0; i < count; ++i) {
    const double magnitude = std::pow(10.0, (rng.Unit() - 0.5) * decades);
    const uint64_t kind = rng.Below(8);
    values.push_back(kind == 0 ? 0 : kind < 4 ? -magnitude : magnitude);
  }
  return values;
}

QuantileSketch SketchOf(const std::vector<double>& values) {
  QuantileSketch sketch;
  for (const double value : values) sketch.Add(value);
  return sketch;
}

// Scenario: random values over one, six and twenty decades, negative ones and zeros among them.
// Guarantees: every quantile is within 1 % of the value of its rank; buckets hold all of them, ascending.
TEST(QuantileSketch, QuantilesAreWithinTheirErrorProperty) {
  Rng rng(1);
  for (const double decades : {1.0, 6.0, 20.0}) {
    std::vector<double> values = RandomValues(rng, 5'000, decades);
    const QuantileSketch sketch = SketchOf(values);
    std::sort(values.begin(), values.end());
    for (double q = 0; q <= 1; q += 0.001) {
      const double exact = values[static_cast<size_t>(q * static_cast<double>(values.size() - 1))];
      ASSERT_NEAR(sketch.Quantile(q), exact, std::abs(exact) * QuantileSketch::kRelativeError * 1.000001) << q;
    }
    uint64_t count = 0;
    double last = -kInfinity;
    for (const QuantileSketch::Bucket& bucket : sketch.Buckets()) {
      ASSERT_LE(last, bucket.lower * (bucket.lower < 0 ? 0.999999 : 1.000001));
      ASSERT_LE(bucket.lower, bucket.upper);
      last = bucket.upper;
      count += bucket.count;
    }
    EXPECT_EQ(count, values.size());
  }
}

// Scenario: three random sketches, over so many decades that buckets are merged, put together in each order.
// Guarantees: always the same sketch, and that of all values at once.
TEST(QuantileSketch, MergingIsAssociativeAndCommutativeProperty) {
  Rng rng(2);
  for (const double decades : {3.0, 300.0}) {
    std::vector<double> all;
    std::vector<QuantileSketch> parts;
    for (int i = 0; i < 3; ++i) {
      const std::vector<double> values = RandomValues(rng, 20'000, decades);
      all.insert(all.end(), values.begin(), values.end());
      parts.push_back(SketchOf(values));
    }
    const QuantileSketch whole = SketchOf(all);
    std::vector<int> order = {0, 1, 2};
    do {
      QuantileSketch left = parts[order[0]];
      left.Merge(parts[order[1]]);
      left.Merge(parts[order[2]]);
      QuantileSketch right = parts[order[1]];
      right.Merge(parts[order[2]]);
      right.Merge(parts[order[0]]);
      ASSERT_EQ(left, whole);
      ASSERT_EQ(right, whole);
    } while (std::next_permutation(order.begin(), order.end()));
  }
}

// Scenario: more decades than there are buckets.
// Guarantees: never more than kBucketsMax of a sign; the large values stay exact, all are counted.
TEST(QuantileSketch, KeepsTheLargestBuckets) {
  QuantileSketch sketch;
  for (int exponent = -11; exponent <= 308; ++exponent) {
    for (double mantissa = 1; mantissa < 10; mantissa *= 1.02) sketch.Add(mantissa * std::pow(10.0, exponent));
  }
  EXPECT_EQ(sketch.Buckets().size(), QuantileSketch::kBucketsMax);
  EXPECT_NEAR(sketch.Quantile(1) / kLargest, 1, QuantileSketch::kRelativeError);
}

// Scenario: values at, just below and just above the border of many buckets, and all over the range.
// Guarantees: each is in the bucket that the logarithm says.
TEST(QuantileSketch, ValuesAreInTheirBucketsProperty) {
  const double gamma = (1 + QuantileSketch::kRelativeError) / (1 - QuantileSketch::kRelativeError);
  const double log_gamma = std::log(gamma);
  Rng rng(3);
  for (int i = 0; i < 200'000; ++i) {
    const double border = std::exp(static_cast<double>(static_cast<int64_t>(rng.Below(30'000)) - 1'300) * log_gamma);
    const double values[] = {border, std::nextafter(border, 0), std::nextafter(border, kInfinity),
                             std::exp((rng.Unit() - 0.03) * 700)};
    const double value = std::max(values[rng.Below(4)], QuantileSketch::kZeroBelow);
    QuantileSketch sketch;
    sketch.Add(value);
    const double bucket = std::ceil(std::log(value) / log_gamma);
    ASSERT_EQ(sketch.Buckets().front().upper, std::exp(bucket * log_gamma)) << value;
  }
}

// Scenario: nothing, NaN, infinities, the largest and the smallest doubles, a count.
// Guarantees: NaN is ignored; infinities are the largest double; what is below kZeroBelow is zero.
TEST(QuantileSketch, TakesWhatDoublesCanBe) {
  QuantileSketch sketch;
  EXPECT_EQ(sketch.Quantile(0.5), 0);
  sketch.Add(std::numeric_limits<double>::quiet_NaN());
  sketch.Add(1, 0);
  EXPECT_EQ(sketch.count(), 0);
  EXPECT_TRUE(sketch.Buckets().empty());

  sketch.Add(-kInfinity);
  sketch.Add(std::numeric_limits<double>::denorm_min());
  sketch.Add(-0.0);
  sketch.Add(kInfinity, 2);
  sketch.Add(kLargest);
  EXPECT_EQ(sketch.count(), 6);
  EXPECT_NEAR(sketch.Quantile(0) / -kLargest, 1, QuantileSketch::kRelativeError);
  EXPECT_EQ(sketch.Quantile(0.2), 0);
  EXPECT_EQ(sketch.Quantile(0.4), 0);
  EXPECT_NEAR(sketch.Quantile(1) / kLargest, 1, QuantileSketch::kRelativeError);
  EXPECT_TRUE(std::isfinite(sketch.Quantile(1)));
  EXPECT_EQ(sketch.Buckets().size(), 3);
}

}  // namespace
}  // namespace spanloom
