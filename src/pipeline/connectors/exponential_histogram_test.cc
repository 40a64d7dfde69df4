// SPDX-License-Identifier: Apache-2.0

#include "pipeline/connectors/exponential_histogram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "base/rng.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;

// Scenario: powers of two and values beside them, at scales above and below 0.
// Guarantees: a power of two is the upper end of its bucket.
TEST(ExponentialIndex, HasPowersOfTwoAtTheUpperEnd) {
  EXPECT_EQ(ExponentialIndex(1, 0), -1);
  EXPECT_EQ(ExponentialIndex(1.5, 0), 0);
  EXPECT_EQ(ExponentialIndex(2, 0), 0);
  EXPECT_EQ(ExponentialIndex(2.1, 0), 1);
  EXPECT_EQ(ExponentialIndex(4, 1), 3);  // base 2^0.5: (2^1.5, 2^2]
  EXPECT_EQ(ExponentialIndex(2.5, 1), 2);
  EXPECT_EQ(ExponentialIndex(16, -1), 1);  // base 4: (4, 16]
  EXPECT_EQ(ExponentialIndex(17, -1), 2);
  EXPECT_EQ(ExponentialIndex(0.25, 0), -3);
}

// Scenario: the same value twice, zeros, and one far away.
// Guarantees: zeros count apart; the buckets become coarser until both fit.
TEST(ExponentialHistogram, BecomesCoarserWhenItMust) {
  ExponentialHistogram histogram(2);
  histogram.Add(1, 2);
  EXPECT_EQ(histogram.fields().scale, kExponentialScaleMax);
  histogram.Add(0, 1);
  histogram.Add(16, 1);
  const otlp::ExponentialFields fields = histogram.fields();
  EXPECT_EQ(fields.scale, -2);  // (1/16, 1] and (1, 16]
  EXPECT_EQ(fields.positive_offset, -1);
  EXPECT_THAT(fields.positive_counts, ElementsAre(2, 1));
  EXPECT_EQ(fields.zero_count, 1u);
  EXPECT_EQ(fields.count, 4u);
  EXPECT_EQ(fields.sum, 18);
  EXPECT_EQ(fields.min, 0);
  EXPECT_EQ(fields.max, 16);
}

// Scenario: nothing but zeros.
// Guarantees: the scale is 0, as in the Collector: there is no bucket that one could be read from.
TEST(ExponentialHistogram, HasNoScaleWithoutBuckets) {
  ExponentialHistogram histogram(4);
  histogram.Add(0, 2);
  EXPECT_EQ(histogram.fields().scale, 0);
  EXPECT_EQ(histogram.fields().zero_count, 2u);
}

// Scenario: random values over many orders of magnitude, for several sizes.
// Guarantees: each bucket has as many as there are values between its ends; never more buckets than allowed; nothing is
// lost.
TEST(ExponentialHistogramProperty, CountsWhatIsBetweenTheEndsOfABucket) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    Rng rng(seed);
    const size_t size_max = 2 + rng.Below(60);
    ExponentialHistogram histogram(size_max);
    std::vector<double> values;
    for (size_t i = 0; i < 200; ++i) {
      values.push_back(std::exp2(rng.Unit() * 20 - 10));
      histogram.Add(values.back(), 1);
    }
    const otlp::ExponentialFields fields = histogram.fields();
    ASSERT_LE(fields.positive_counts.size(), size_max) << "seed " << seed;
    std::vector<uint64_t> expected(fields.positive_counts.size());
    for (const double value : values) {
      const int32_t index = ExponentialIndex(value, fields.scale);
      ++expected.at(static_cast<size_t>(index - fields.positive_offset));
      const double end = std::exp2(std::ldexp(index + 1, -fields.scale));
      EXPECT_LE(value, end * (1 + 1e-12)) << "seed " << seed;
      EXPECT_GT(value, std::exp2(std::ldexp(index, -fields.scale)) * (1 - 1e-12)) << "seed " << seed;
    }
    EXPECT_EQ(expected, std::vector<uint64_t>(fields.positive_counts.begin(), fields.positive_counts.end()))
        << "seed " << seed;
  }
}

}  // namespace
}  // namespace spanloom::pipeline
