// SPDX-License-Identifier: Apache-2.0

#include "base/log_sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spanloom {
namespace {

using testing::ElementsAre;

constexpr LogSampling kSampling = {.tick = std::chrono::nanoseconds(100), .initial = 2, .thereafter = 3};

// Which of `count` lines are written, from 1.
std::vector<int> Written(LogSampler& sampler, int count, std::string_view message, int64_t now_ns) {
  std::vector<int> written;
  for (int i = 1; i <= count; ++i) {
    if (sampler.Admits(LogLevel::kError, message, now_ns)) written.push_back(i);
  }
  return written;
}

// Scenario: one message nine times in a tick, another one meanwhile, the first one of another level, and a tick later.
// Guarantees: the first two and every third after them are written, of each message and level for itself.
TEST(LogSampler, TakesTheFirstAndSomeOfTheRest) {
  LogSampler sampler(kSampling);
  EXPECT_THAT(Written(sampler, 9, "no route", 1), ElementsAre(1, 2, 5, 8));
  EXPECT_THAT(Written(sampler, 1, "other", 1), ElementsAre(1));
  EXPECT_TRUE(sampler.Admits(LogLevel::kInfo, "no route", 1));
  EXPECT_THAT(Written(sampler, 3, "no route", 101), ElementsAre(1, 2));
}

TEST(LogSampler, TakesNoneOfTheRestIfThereafterIsZero) {
  LogSampler sampler({.initial = 1, .thereafter = 0});
  EXPECT_THAT(Written(sampler, 1'000, "no route", 1), ElementsAre(1));
}

// Scenario: lines of two messages that are left out; asked within the tick, after it, and again; then a hurry.
// Guarantees: all of them are told once, when the tick is over or there is a hurry.
TEST(LogSampler, CountsWhatItLeavesOut) {
  LogSampler sampler(kSampling);
  Written(sampler, 4, "no route", 1);
  Written(sampler, 9, "full", 1);
  EXPECT_EQ(sampler.TakeLeftOut(100).lines, 0u);
  const LogSampler::LeftOut left_out = sampler.TakeLeftOut(101);
  EXPECT_EQ(left_out.lines, 7u);
  EXPECT_EQ(left_out.messages, "5 of error: full; 2 of error: no route");
  EXPECT_EQ(sampler.TakeLeftOut(1'000).lines, 0u);
  Written(sampler, 4, "no route", 2'000);
  Written(sampler, 1, "no route", 3'000);  // ends the tick before
  EXPECT_EQ(sampler.TakeLeftOut(3'001).lines, 2u);
  Written(sampler, 3, "no route", 3'002);
  EXPECT_EQ(sampler.TakeLeftOut(3'003, /*in_haste=*/true).lines, 2u);
}

// Scenario: more messages in a tick than are told apart.
// Guarantees: memory is bounded; what is not counted is written.
TEST(LogSampler, BoundsItsMemory) {
  LogSampler sampler({.initial = 0, .thereafter = 0});
  for (size_t i = 0; i < LogSampler::kMessagesMax; ++i) {
    EXPECT_FALSE(sampler.Admits(LogLevel::kInfo, StrCat("message ", i), 1));
  }
  EXPECT_TRUE(sampler.Admits(LogLevel::kInfo, "one more", 1));
  EXPECT_FALSE(sampler.Admits(LogLevel::kInfo, "message 0", 1));
}

}  // namespace
}  // namespace spanloom
