// SPDX-License-Identifier: Apache-2.0

#include "cli/tracegen/run_progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spanloom::cli::tracegen {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

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

TEST(Progress, TellsTheShareThatIsDone) {
  EXPECT_EQ(ProgressOf({.traces = 50, .traces_total = 200, .last_problem = {}}).share, 0.25);
  EXPECT_EQ(ProgressOf({.last_problem = {}}).share, 1);
}

}  // namespace
}  // namespace spanloom::cli::tracegen
