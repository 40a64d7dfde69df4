// SPDX-License-Identifier: Apache-2.0

#include "cli/tracegen/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace spanloom::cli::tracegen {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr int64_t kSecondNs = 1'000'000'000;

TEST(Progress, LineTellsRateAndTimeLeft) {
  const std::string line = FormatProgressLine({.traces = 250,
                                               .traces_total = 1'000,
                                               .acknowledged_spans = 5'000,
                                               .elapsed_ns = 10 * kSecondNs,
                                               .last_problem = {}});
  EXPECT_EQ(line, "250/1000 traces, 5000 spans acknowledged, 500 spans/s, 30s left");
}

TEST(Progress, LineTellsWhatWentWrong) {
  const std::string line = FormatProgressLine({.traces = 1,
                                               .traces_total = 2,
                                               .lost_spans = 9,
                                               .elapsed_ns = kSecondNs,
                                               .last_problem = "UNAVAILABLE: queue full"});
  EXPECT_THAT(line, HasSubstr("9 spans refused or lost, last problem UNAVAILABLE: queue full"));
}

TEST(Progress, NothingIsKnownBeforeTheFirstTrace) {
  EXPECT_THAT(FormatProgressLine({.traces_total = 10, .last_problem = {}}), EndsWith("0 spans/s, - left"));
}

TEST(Progress, BarFillsAndKeepsItsWidth) {
  const auto bar = [](uint64_t traces) {
    return FormatProgressBar({.traces = traces, .traces_total = 100, .elapsed_ns = kSecondNs, .last_problem = {}}, 60);
  };
  EXPECT_THAT(bar(0), StartsWith("[........................] 0/100"));
  EXPECT_THAT(bar(50), StartsWith("[############............] 50/100"));
  EXPECT_THAT(bar(100), StartsWith("[########################] 100/100"));
  EXPECT_LE(bar(100).size(), 60u);
}

// Scenario: a run shorter than the interval between two lines.
// Guarantees: its last state is written all the same, as plain text when it is not a terminal.
TEST(Progress, WritesTheLastState) {
  std::ostringstream out;
  {
    const Progress progress(
        ProgressStyle::kLines,
        [] { return ProgressSnapshot{.traces = 3, .traces_total = 3, .acknowledged_spans = 33, .last_problem = {}}; },
        out);
  }
  EXPECT_THAT(out.str(), EndsWith("left\n"));
  EXPECT_THAT(out.str(), HasSubstr("3/3 traces, 33 spans"));
  EXPECT_THAT(out.str(), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace spanloom::cli::tracegen
