// SPDX-License-Identifier: Apache-2.0

#include "store/retention_time.h"

#include <gtest/gtest.h>

#include "base/testing/jumping_clock.h"

namespace spanloom::store {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

class RetentionTimeTest : public testing::Test {
 protected:
  // How far the retention's time is ahead of that which would be without jumps.
  int64_t Ahead() { return static_cast<int64_t>(time_.NowUnixNs()) - begin_unix_ns_ - clock_.SteadyNs(); }

  JumpingClock clock_;
  const int64_t begin_unix_ns_ = clock_.UnixNs() - clock_.SteadyNs();
  RetentionTime time_{clock_};
};

// Scenario: time passes; the clock is slewed by half a minute.
// Guarantees: the wall clock's time.
TEST_F(RetentionTimeTest, IsTheWallClocks) {
  clock_.Advance(kDayNs);
  EXPECT_EQ(Ahead(), 0);
  clock_.Set(30 * kSecond);
  EXPECT_EQ(Ahead(), 30 * kSecond);
}

// Scenario: the clock jumps a day ahead, and is set right within the hour; and once more.
// Guarantees: it is as if nothing had been.
TEST_F(RetentionTimeTest, DoesNotBelieveAJumpAhead) {
  for (int jump = 0; jump < 2; ++jump) {
    clock_.Set(kDayNs);
    for (int minute = 0; minute < 59; ++minute) {
      EXPECT_EQ(Ahead(), 0);
      clock_.Advance(60 * kSecond);
    }
    clock_.Set(0);
    EXPECT_EQ(Ahead(), 0);
  }
}

// Scenario: the clock is set ahead by a day, and that was right.
// Guarantees: it is believed after an hour.
TEST_F(RetentionTimeTest, BelievesAJumpThatLasts) {
  clock_.Set(kDayNs);
  EXPECT_EQ(Ahead(), 0);
  clock_.Advance(kClockJumpDoubtNs);
  EXPECT_EQ(Ahead(), kDayNs);
}

// Scenario: the clock is set back by a day, and ahead again.
// Guarantees: the first is believed at once, the second is a jump like any other.
TEST_F(RetentionTimeTest, BelievesWhatRemovesLess) {
  clock_.Set(-kDayNs);
  EXPECT_EQ(Ahead(), -kDayNs);
  clock_.Set(0);
  EXPECT_EQ(Ahead(), -kDayNs);
  clock_.Advance(kClockJumpDoubtNs);
  EXPECT_EQ(Ahead(), 0);
}

}  // namespace
}  // namespace spanloom::store
