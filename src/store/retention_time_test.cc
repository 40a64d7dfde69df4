// SPDX-License-Identifier: Apache-2.0

#include "store/retention_time.h"

#include <gtest/gtest.h>

namespace spanloom::store {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kDay = 86'400 * kSecond;

// A clock whose wall time is set ahead and back.
class SetClock final : public Clock {
 public:
  [[nodiscard]] int64_t UnixNs() const override { return clock_.UnixNs() + offset_ns; }
  [[nodiscard]] int64_t SteadyNs() const override { return clock_.SteadyNs(); }
  void Advance(int64_t duration_ns) { clock_.Advance(duration_ns); }

  int64_t offset_ns = 0;

 private:
  SimClock clock_;
};

class RetentionTimeTest : public testing::Test {
 protected:
  // How far the retention's time is ahead of that which would be without jumps.
  int64_t Ahead() { return static_cast<int64_t>(time_.NowUnixNs()) - (clock_.UnixNs() - clock_.offset_ns); }

  SetClock clock_;
  RetentionTime time_{clock_};
};

// Scenario: time passes; the clock is slewed by half a minute.
// Guarantees: the wall clock's time.
TEST_F(RetentionTimeTest, IsTheWallClocks) {
  clock_.Advance(kDay);
  EXPECT_EQ(Ahead(), 0);
  clock_.offset_ns = 30 * kSecond;
  EXPECT_EQ(Ahead(), 30 * kSecond);
}

// Scenario: the clock jumps a day ahead, and is set right within the hour; and once more.
// Guarantees: it is as if nothing had been.
TEST_F(RetentionTimeTest, DoesNotBelieveAJumpAhead) {
  for (int jump = 0; jump < 2; ++jump) {
    clock_.offset_ns = kDay;
    for (int minute = 0; minute < 59; ++minute) {
      EXPECT_EQ(Ahead(), 0);
      clock_.Advance(60 * kSecond);
    }
    clock_.offset_ns = 0;
    EXPECT_EQ(Ahead(), 0);
  }
}

// Scenario: the clock is set ahead by a day, and that was right.
// Guarantees: it is believed after an hour.
TEST_F(RetentionTimeTest, BelievesAJumpThatLasts) {
  clock_.offset_ns = kDay;
  EXPECT_EQ(Ahead(), 0);
  clock_.Advance(kClockJumpDoubtNs);
  EXPECT_EQ(Ahead(), kDay);
}

// Scenario: the clock is set back by a day, and ahead again.
// Guarantees: the first is believed at once, the second is a jump like any other.
TEST_F(RetentionTimeTest, BelievesWhatRemovesLess) {
  clock_.offset_ns = -kDay;
  EXPECT_EQ(Ahead(), -kDay);
  clock_.offset_ns = 0;
  EXPECT_EQ(Ahead(), -kDay);
  clock_.Advance(kClockJumpDoubtNs);
  EXPECT_EQ(Ahead(), 0);
}

}  // namespace
}  // namespace spanloom::store
