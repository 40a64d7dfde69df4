// SPDX-License-Identifier: Apache-2.0

#include "net/detail/http2/lifecycle.h"

#include <gtest/gtest.h>

namespace spanloom::net::http2 {
namespace {

using namespace std::chrono_literals;
using Step = Lifecycle::Step;
using TimePoint = Lifecycle::TimePoint;

constexpr TimePoint kStart{100s};

KeepaliveParameters Nothing() {
  return {.idle_max = 0ms, .age_max = 0ms, .age_grace = 0ms, .time = 0ms, .timeout = 20s};
}

TEST(Lifecycle, WithoutLimitsNothingIsEverDue) {
  Lifecycle life(Nothing(), kStart, 0);
  EXPECT_EQ(life.next(kStart), TimePoint::max());
  EXPECT_EQ(life.Due(kStart + 10'000h, kStart), std::nullopt);
}

// Scenario: a peer is silent, answers the first ping, and not the second.
// Guarantees: pinged after `time` of silence, dead `timeout` after the ping that nothing followed.
TEST(Lifecycle, PingsASilentPeerAndGivesItUp) {
  KeepaliveParameters parameters = Nothing();
  parameters.time = 60s;
  Lifecycle life(parameters, kStart, 0);
  EXPECT_EQ(life.Due(kStart + 59s, kStart), std::nullopt);
  EXPECT_EQ(life.next(kStart), kStart + 60s);
  EXPECT_EQ(life.Due(kStart + 60s, kStart), Step::kPing);
  EXPECT_EQ(life.next(kStart), kStart + 80s);
  const TimePoint answered = kStart + 61s;
  EXPECT_EQ(life.Due(kStart + 80s, answered), std::nullopt);
  EXPECT_EQ(life.Due(answered + 60s, answered), Step::kPing);
  EXPECT_EQ(life.Due(answered + 79s, answered), std::nullopt);
  EXPECT_EQ(life.Due(answered + 80s, answered), Step::kDead);
}

TEST(Lifecycle, IsIdleOnlyWithoutRequests) {
  KeepaliveParameters parameters = Nothing();
  parameters.idle_max = 30s;
  Lifecycle life(parameters, kStart, 0);
  life.OnBusy();
  EXPECT_EQ(life.Due(kStart + 1h, kStart), std::nullopt);
  life.OnIdle(kStart + 1h);
  EXPECT_EQ(life.Due(kStart + 1h + 29s, kStart), std::nullopt);
  EXPECT_EQ(life.Due(kStart + 1h + 30s, kStart), Step::kIdle);
  EXPECT_EQ(life.Due(kStart + 2h, kStart), std::nullopt);
}

// Scenario: age_max of 100 s, jittered to both ends of its range, with a grace of 5 s.
// Guarantees: the age lies within 10 %, and the grace follows it.
TEST(Lifecycle, EndsAtItsJitteredAgeAndAfterTheGrace) {
  KeepaliveParameters parameters = Nothing();
  parameters.age_max = 100s;
  parameters.age_grace = 5s;
  for (const auto& [jitter, age] : {std::pair(0.0, 90s), std::pair(0.5, 100s), std::pair(0.99999, 109s)}) {
    Lifecycle life(parameters, kStart, jitter);
    EXPECT_EQ(life.Due(kStart + age - 100ms, kStart), std::nullopt);
    EXPECT_EQ(life.Due(kStart + age + 1s, kStart), Step::kAge);
    EXPECT_EQ(life.Due(kStart + age + 5s, kStart), std::nullopt);
    EXPECT_EQ(life.Due(kStart + age + 6s, kStart), Step::kGrace);
    EXPECT_EQ(life.next(kStart), TimePoint::max());
  }
}

}  // namespace
}  // namespace spanloom::net::http2
