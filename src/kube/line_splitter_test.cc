// SPDX-License-Identifier: Apache-2.0

#include "kube/line_splitter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spanloom::kube {
namespace {

using testing::ElementsAre;

std::vector<std::string> LinesOf(LineSplitter& splitter, const std::vector<std::string>& pieces) {
  std::vector<std::string> lines;
  for (const std::string& piece : pieces) splitter.Take(piece, lines);
  return lines;
}

TEST(LineSplitter, JoinsPieces) {
  LineSplitter splitter(100);
  EXPECT_THAT(LinesOf(splitter, {"a\nb", "b", "\n\nc\n", "half"}), ElementsAre("a", "bb", "c"));
  EXPECT_TRUE(splitter.is_within_line());
}

// Scenario: a line over the limit comes in pieces, between two others.
// Guarantees: it alone is left out, and counted.
TEST(LineSplitter, LeavesOutLongLines) {
  LineSplitter splitter(4);
  EXPECT_THAT(LinesOf(splitter, {"1234\n12", "345", "67\nend\n"}), ElementsAre("1234", "end"));
  EXPECT_EQ(splitter.too_long_lines(), 1u);
  EXPECT_FALSE(splitter.is_within_line());
  LinesOf(splitter, {"too long"});
  EXPECT_TRUE(splitter.is_within_line());
}

}  // namespace
}  // namespace spanloom::kube
