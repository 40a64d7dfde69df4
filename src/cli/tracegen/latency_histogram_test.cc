// SPDX-License-Identifier: Apache-2.0

#include "cli/tracegen/latency_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/rng.h"

namespace spanloom::cli::tracegen {
namespace {

TEST(LatencyHistogram, IsZeroWhileEmpty) {
  EXPECT_EQ(LatencyHistogram().QuantileNs(0.99), 0);
}

TEST(LatencyHistogram, CountsSmallValuesExactly) {
  LatencyHistogram histogram;
  for (int64_t value = 1; value <= 10; ++value) histogram.Record(value);
  EXPECT_EQ(histogram.QuantileNs(0.5), 5);
  EXPECT_EQ(histogram.QuantileNs(1), 10);
  EXPECT_EQ(histogram.QuantileNs(0), 1);
}

TEST(LatencyHistogram, TakesTheLargestAndTheNegative) {
  LatencyHistogram histogram;
  histogram.Record(-5);
  EXPECT_EQ(histogram.QuantileNs(1), 0);
  histogram.Record(std::numeric_limits<int64_t>::max());
  EXPECT_EQ(histogram.QuantileNs(1), std::numeric_limits<int64_t>::max());
}

// Scenario: random durations over nine powers of ten, beside the sorted list of them.
// Guarantees: every quantile is at the true value or at most 1/32 above it.
TEST(LatencyHistogramProperty, QuantilesAreWithinTheStatedError) {
  Rng rng(11);
  LatencyHistogram histogram;
  std::vector<int64_t> values;
  for (int i = 0; i < 5'000; ++i) {
    values.push_back(static_cast<int64_t>(std::pow(10.0, 9 * rng.Unit())));
    histogram.Record(values.back());
  }
  std::sort(values.begin(), values.end());
  for (double quantile : {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<size_t>(std::ceil(quantile * 5'000));
    const int64_t truth = values[rank - 1];
    EXPECT_GE(histogram.QuantileNs(quantile), truth) << quantile;
    EXPECT_LE(static_cast<double>(histogram.QuantileNs(quantile)), static_cast<double>(truth) * (1 + 1.0 / 32))
        << quantile;
  }
}

}  // namespace
}  // namespace spanloom::cli::tracegen
