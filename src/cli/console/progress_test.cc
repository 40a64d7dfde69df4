// SPDX-License-Identifier: Apache-2.0

#include "cli/console/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace spanloom::cli::console {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr int64_t kSecondNs = 1'000'000'000;

TEST(Progress, TellsTheTimeLeft) {
  EXPECT_EQ(TimeLeft(0, kSecondNs), "-");
  EXPECT_EQ(TimeLeft(0.25, 10 * kSecondNs), "30s");
  EXPECT_EQ(TimeLeft(0.01, 3 * kSecondNs), "4m57s");
  EXPECT_EQ(TimeLeft(1, kSecondNs), "0s");
}

TEST(Progress, BarFillsAndKeepsItsWidth) {
  EXPECT_EQ(FormatProgressBar({.share = 0, .line = "0 of 2"}, 60), "[........................] 0 of 2");
  EXPECT_EQ(FormatProgressBar({.share = 0.5, .line = "1 of 2"}, 60), "[############............] 1 of 2");
  EXPECT_EQ(FormatProgressBar({.share = 1.5, .line = "more"}, 60), "[########################] more");
  EXPECT_EQ(FormatProgressBar({.share = 1, .line = "a long line"}, 30), "[########################] a l");
}

// Scenario: a run shorter than the interval between two lines.
// Guarantees: its last state is written all the same, as plain text when it is not a terminal.
TEST(Progress, WritesTheLastState) {
  std::ostringstream out;
  {
    const Progress progress(
        ProgressStyle::kLines, [] { return ProgressState{.share = 1, .line = "3 of 3 traces, 0s left"}; }, out);
  }
  EXPECT_THAT(out.str(), EndsWith("3 of 3 traces, 0s left\n"));
  EXPECT_THAT(out.str(), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace spanloom::cli::console
