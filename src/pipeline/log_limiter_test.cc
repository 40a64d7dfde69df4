// SPDX-License-Identifier: Apache-2.0

#include "pipeline/log_limiter.h"

#include <gtest/gtest.h>

namespace spanloom::pipeline {
namespace {

// Scenario: the same problem many times in ten seconds, then again.
// Guarantees: one line at once, one when it is due, and together they count everything.
TEST(LogLimiter, AdmitsOneLineInAWhileWithTheWholeCount) {
  SimClock clock;
  LogLimiter limiter(clock);
  EXPECT_EQ(limiter.Admit(5), 5u);
  EXPECT_EQ(limiter.Admit(3), std::nullopt);
  clock.Advance(9'999'999'999);
  EXPECT_EQ(limiter.Admit(2), std::nullopt);
  clock.Advance(1);
  EXPECT_EQ(limiter.Admit(1), 6u);
}

}  // namespace
}  // namespace spanloom::pipeline
