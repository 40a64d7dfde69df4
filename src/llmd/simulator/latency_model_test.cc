// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/latency_model.h"

#include <gtest/gtest.h>

namespace spanloom::llmd::simulator {
namespace {

using std::chrono::milliseconds;

constexpr int64_t kMs = 1'000'000;

TEST(LatencyModel, ChargesByTheFormulas) {
  LatencyOptions options{.calculator = LatencyCalculator::kPerToken, .running_max = 5};
  options.prefill_overhead = milliseconds(3);
  options.prefill_per_token.mean = milliseconds(2);
  options.inter_token.mean = milliseconds(10);
  options.kv_transfer.mean = milliseconds(40);
  LatencyModel model(options, Rng(1));
  EXPECT_EQ(model.PrefillNs(100, 1), 203 * kMs);
  EXPECT_EQ(model.DecodeNs(1), 10 * kMs);
  EXPECT_EQ(model.StepNs(7, 3, 1), 27 * kMs);
  EXPECT_EQ(model.StepNs(0, 3, 1), 10 * kMs);
  EXPECT_EQ(model.TransferNs(100), 40 * kMs);
}

TEST(LatencyModel, GrowsWithTheLoadAndShrinksWithTheSpeedup) {
  LatencyOptions options{
      .calculator = LatencyCalculator::kConstant, .time_factor_under_load = 3, .speedup = 10, .running_max = 5};
  options.time_to_first_token.mean = milliseconds(100);
  options.kv_transfer_per_token.mean = milliseconds(1);
  LatencyModel model(options, Rng(1));
  EXPECT_EQ(model.PrefillNs(100, 1), 10 * kMs);
  EXPECT_EQ(model.PrefillNs(100, 3), 20 * kMs);
  EXPECT_EQ(model.PrefillNs(100, 5), 30 * kMs);
  EXPECT_EQ(model.TransferNs(100), 10 * kMs);
}

// Scenario: ten thousand samples of a spread.
// Guarantees: their mean is that which was asked for, and none is further away than 70 %.
TEST(LatencyModel, SpreadsAroundTheMean) {
  LatencyOptions options{.calculator = LatencyCalculator::kConstant};
  options.inter_token = {milliseconds(100), milliseconds(30)};
  LatencyModel model(options, Rng(1));
  double sum = 0;
  int64_t least = INT64_MAX;
  int64_t most = 0;
  for (int i = 0; i < 10'000; ++i) {
    const int64_t sample = model.DecodeNs(1);
    sum += static_cast<double>(sample);
    least = std::min(least, sample);
    most = std::max(most, sample);
  }
  EXPECT_NEAR(sum / 10'000, 100 * kMs, 2 * kMs);
  EXPECT_GE(least, 30 * kMs);
  EXPECT_LE(most, 170 * kMs);
  EXPECT_GT(most - least, 100 * kMs);
}

}  // namespace
}  // namespace spanloom::llmd::simulator
