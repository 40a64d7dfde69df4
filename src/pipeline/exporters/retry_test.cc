// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/retry.h"

#include <gtest/gtest.h>

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;

// Scenario: waits without jitter.
// Guarantees: they grow by the multiplier and stop at the longest.
TEST(RetryBackoff, GrowsToTheLongestWait) {
  Rng rng(1);
  RetryBackoff backoff =
      RetryOptions{.initial_interval = 4s, .randomization_factor = 0, .multiplier = 1.5, .max_interval = 8s}.Backoff();
  EXPECT_EQ(backoff.Next(rng), 4s);
  EXPECT_EQ(backoff.Next(rng), 6s);
  EXPECT_EQ(backoff.Next(rng), 8s);
  EXPECT_EQ(backoff.Next(rng), 8s);
}

// Scenario: a thousand first waits with a factor of one half, from one seed.
// Guarantees: all lie within half and one and a half of the interval, and they spread.
TEST(RetryBackoffProperty, JitterStaysWithinItsFactor) {
  Rng rng(42);
  std::chrono::nanoseconds shortest = 1h;
  std::chrono::nanoseconds longest = 0s;
  for (int i = 0; i < 1'000; ++i) {
    const auto wait = RetryOptions{.initial_interval = 10s}.Backoff().Next(rng);
    shortest = std::min(shortest, wait);
    longest = std::max(longest, wait);
  }
  EXPECT_GE(shortest, 5s);
  EXPECT_LT(shortest, 6s);
  EXPECT_GT(longest, 14s);
  EXPECT_LE(longest, 15s);
}

// Scenario: an initial interval above the longest one.
// Guarantees: the longest wins.
TEST(RetryBackoff, InitialIntervalIsBoundedToo) {
  Rng rng(1);
  const RetryOptions options{.initial_interval = 60s, .randomization_factor = 0};
  EXPECT_EQ(options.Backoff().Next(rng), 30s);
}

// Scenario: the time for all attempts is shorter than a wait: than the first, than the longest, without a limit, and
// where nothing is sent again. Guarantees: refused where the Collector v0.155 refuses it, in its words.
TEST(RetryOptions, WaitsFitIntoTheTimeForAll) {
  EXPECT_EQ(RetryOptions{.initial_interval = 6min}.Validate().message(),
            "max_elapsed_time must not be less than initial_interval, 6m0s");
  EXPECT_EQ(RetryOptions{.max_elapsed_time = 10s}.Validate().message(),
            "max_elapsed_time must not be less than max_interval, 30s");
  EXPECT_TRUE(RetryOptions{.max_elapsed_time = 30s}.Validate().ok());
  EXPECT_TRUE(RetryOptions{.max_elapsed_time = 0s}.Validate().ok());
  EXPECT_TRUE((RetryOptions{.enabled = false, .max_elapsed_time = 1s}).Validate().ok());
}

}  // namespace
}  // namespace spanloom::pipeline
