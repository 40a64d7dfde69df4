// SPDX-License-Identifier: Apache-2.0

#include "cli/tracegen/draw.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace spanloom::cli::tracegen {
namespace {

using testing::AllOf;
using testing::Ge;
using testing::Le;
using testing::MatchesRegex;

TEST(Draw, BetweenReachesBothEnds) {
  Rng rng(1);
  std::set<int64_t> seen;
  for (int i = 0; i < 1'000; ++i) seen.insert(Between(rng, -1, 2));
  EXPECT_EQ(seen, (std::set<int64_t>{-1, 0, 1, 2}));
}

// Scenario: many draws around a median.
// Guarantees: half of them lie below it, and none outside the limits.
TEST(Draw, LogNormalKeepsMedianAndLimits) {
  Rng rng(2);
  int below = 0;
  for (int i = 0; i < 10'000; ++i) {
    const int64_t value = LogNormal(rng, 900, 2.5, 4, 20'000);
    ASSERT_THAT(value, AllOf(Ge(4), Le(20'000)));
    below += value < 900 ? 1 : 0;
  }
  EXPECT_THAT(below, AllOf(Ge(4'700), Le(5'300)));
}

TEST(Draw, ExponentialHasItsMean) {
  Rng rng(3);
  double sum = 0;
  for (int i = 0; i < 100'000; ++i) sum += Exponential(rng, 5);
  EXPECT_NEAR(sum / 100'000, 5, 0.1);
}

TEST(Draw, UuidV4HasVersionAndVariant) {
  Rng rng(4);
  for (int i = 0; i < 100; ++i) {
    EXPECT_THAT(UuidV4(rng), MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  }
}

// Scenario: the example of RFC 9562, appendix A.1: 2022-02-22T14:22:22-05:00, network card 9f6bdeced846.
// Guarantees: the same digits, but for the random clock sequence.
TEST(Draw, UuidV1IsThatOfTheStandard) {
  Rng rng(5);
  EXPECT_THAT(UuidV1(rng, 1'645'557'742'000'000'000, 0x9f6bdeced846),
              MatchesRegex("c232ab00-9414-11ec-[89ab][0-9a-f]{3}-9f6bdeced846"));
}

TEST(Timeline, MovesForwardWithinItsBounds) {
  Rng rng(6);
  Timeline timeline(rng, 100);
  const Interval taken = timeline.Take(10, 20);
  EXPECT_EQ(taken.start_ns, 100);
  EXPECT_THAT(taken.duration_ns(), AllOf(Ge(10), Le(20)));
  EXPECT_EQ(timeline.now_ns(), taken.end_ns);
}

}  // namespace
}  // namespace spanloom::cli::tracegen
