// SPDX-License-Identifier: Apache-2.0

#include "net/detail/http2/ping_policy.h"

#include <gtest/gtest.h>

namespace spanloom::net::http2 {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const PingPolicy::TimePoint kStart = PingPolicy::TimePoint() + hours(1000);

TEST(PingPolicy, SendsAwayAtTheThirdStrike) {
  PingPolicy policy({.min_time = minutes(5), .permit_without_stream = true});
  EXPECT_TRUE(policy.Allows(kStart, true));
  EXPECT_TRUE(policy.Allows(kStart + seconds(1), true));
  EXPECT_TRUE(policy.Allows(kStart + seconds(2), true));
  EXPECT_FALSE(policy.Allows(kStart + seconds(3), true));
}

TEST(PingPolicy, TakesAnyNumberThatKeepsItsDistance) {
  PingPolicy policy({.min_time = seconds(10), .permit_without_stream = true});
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(policy.Allows(kStart + i * seconds(10), false));
}

TEST(PingPolicy, ForgetsStrikesWhenTheServerAnswers) {
  PingPolicy policy({.min_time = minutes(5), .permit_without_stream = true});
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(policy.Allows(kStart + i * seconds(1), true));
    if (i % 3 == 2) policy.OnAnswerSent();
  }
}

// Scenario: a ping a minute, which min_time allows, first with a stream and then without any.
// Guarantees: without streams the distance is two hours, unless the configuration permits such pings.
TEST(PingPolicy, IsStricterWithoutStreams) {
  PingPolicy strict({.min_time = seconds(10), .permit_without_stream = false});
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(strict.Allows(kStart + i * minutes(1), true));
  EXPECT_TRUE(strict.Allows(kStart + minutes(11), false));
  EXPECT_TRUE(strict.Allows(kStart + minutes(12), false));
  EXPECT_FALSE(strict.Allows(kStart + minutes(13), false));
}

}  // namespace
}  // namespace spanloom::net::http2
