// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/memory_watch.h"

#include <gtest/gtest.h>

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;

class MemoryWatchTest : public testing::Test {
 protected:
  MemoryWatch Make(MemoryWatchOptions::Pace soft, MemoryWatchOptions::Pace hard) {
    return MemoryWatch(
        {.soft_bytes = 800, .hard_bytes = 1000, .check_interval = 1s, .soft = soft, .hard = hard}, clock_,
        [this] { return bytes_; },
        [this] {
          ++given_back_;
          bytes_ = *bytes_ - freed_bytes_;
        });
  }
  void CheckAfter(std::chrono::nanoseconds time, MemoryWatch& watch) {
    clock_.Advance(time.count());
    watch.Check();
  }
  // How often memory was given back in `checks` checks, a second apart.
  int GivenBackIn(int checks, MemoryWatch& watch) {
    const int before = given_back_;
    for (int i = 0; i < checks; ++i) CheckAfter(1s, watch);
    return given_back_ - before;
  }

  SimClock clock_;
  std::optional<uint64_t> bytes_ = 0;
  uint64_t freed_bytes_ = 0;  // by giving back
  int given_back_ = 0;
};

TEST_F(MemoryWatchTest, IsExceededFromTheSoftLimitOn) {
  MemoryWatch watch = Make({.interval_min = 1h}, {});
  bytes_ = 799;
  CheckAfter(1s, watch);
  EXPECT_FALSE(watch.is_exceeded());
  bytes_ = 800;
  CheckAfter(1s, watch);
  EXPECT_TRUE(watch.is_exceeded());
  bytes_ = 799;
  CheckAfter(1s, watch);
  EXPECT_FALSE(watch.is_exceeded());
  EXPECT_EQ(given_back_, 0);
}

// Scenario: usage above the soft limit, and above the hard one, part of which is memory that was freed.
// Guarantees: it is given back before anything is decided.
TEST_F(MemoryWatchTest, GivesBackBeforeItDecides) {
  MemoryWatch watch = Make({}, {});
  bytes_ = 900;
  freed_bytes_ = 200;
  CheckAfter(1s, watch);
  EXPECT_FALSE(watch.is_exceeded());
  EXPECT_EQ(given_back_, 1);
  bytes_ = 1100;
  CheckAfter(1s, watch);
  EXPECT_TRUE(watch.is_exceeded());
  EXPECT_EQ(given_back_, 2);
}

// Scenario: usage stays above the soft limit, then above the hard one; giving back helps a little each time.
// Guarantees: each limit has its own interval, counted from the last time, whichever it was.
TEST_F(MemoryWatchTest, KeepsTheIntervalsApart) {
  MemoryWatch watch = Make({.interval_min = 10s}, {.interval_min = 2s});
  bytes_ = 900;
  EXPECT_EQ(GivenBackIn(10, watch), 0);
  EXPECT_EQ(GivenBackIn(1, watch), 1);
  bytes_ = 1100;
  EXPECT_EQ(GivenBackIn(6, watch), 2);
}

// Scenario: giving back does not help, for long; then it does.
// Guarantees: it is tried after 1, 2, 4, 8 and then 8 seconds; then at every check again.
TEST_F(MemoryWatchTest, SlowsDownWhileItDoesNotHelp) {
  MemoryWatch watch = Make({}, {.interval_max = 8s});
  bytes_ = 2000;
  EXPECT_EQ(GivenBackIn(1, watch), 1);
  EXPECT_EQ(GivenBackIn(1, watch), 1);   // 0.95 s
  EXPECT_EQ(GivenBackIn(2, watch), 1);   // 1.9 s
  EXPECT_EQ(GivenBackIn(4, watch), 1);   // 3.8 s
  EXPECT_EQ(GivenBackIn(8, watch), 1);   // 7.6 s
  EXPECT_EQ(GivenBackIn(18, watch), 2);  // 8 s: more than that has to pass
  freed_bytes_ = 100;
  EXPECT_EQ(GivenBackIn(9, watch), 1);
  EXPECT_EQ(GivenBackIn(3, watch), 3);
}

// Scenario: it does not help, without a longest interval; and usage falls by itself in between.
// Guarantees: the interval stays, or begins anew.
TEST_F(MemoryWatchTest, DoesNotSlowDownWithoutNeed) {
  MemoryWatch watch = Make({}, {});
  bytes_ = 2000;
  EXPECT_EQ(GivenBackIn(5, watch), 5);
  MemoryWatch slow = Make({}, {.interval_max = 8s});
  EXPECT_EQ(GivenBackIn(5, slow), 3);
  bytes_ = 10;
  EXPECT_EQ(GivenBackIn(1, slow), 0);
  bytes_ = 2000;
  EXPECT_EQ(GivenBackIn(1, slow), 1);
}

TEST_F(MemoryWatchTest, KeepsItsOpinionWhereNothingCanBeMeasured) {
  MemoryWatch watch = Make({.interval_min = 1h}, {});
  bytes_ = 900;
  CheckAfter(1s, watch);
  bytes_ = std::nullopt;
  CheckAfter(1s, watch);
  EXPECT_TRUE(watch.is_exceeded());
}

}  // namespace
}  // namespace spanloom::pipeline
