// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;

Pattern Compiled(const std::string& expression) {
  auto pattern = Pattern::Compile(expression);
  EXPECT_TRUE(pattern.ok()) << pattern.status();
  return *std::move(pattern);
}

std::string Stars(std::string_view) {
  return "*";
}

TEST(Pattern, MatchesAnywhere) {
  EXPECT_TRUE(Compiled("b+").Matches("abbc"));
  EXPECT_FALSE(Compiled("^b").Matches("abbc"));
}

TEST(Pattern, NamesItsGroups) {
  EXPECT_THAT(Compiled("(?P<a>x)(y)(?P<b>z)?").group_names(), ElementsAre("", "a", "", "b"));
}

// Scenario: both ways in which Go names a group, and texts that only look like one.
// Guarantees: both name it, and the others mean what they say.
TEST(Pattern, NamesItsGroupsEitherWay) {
  EXPECT_THAT(Compiled("(?<a>x)(?P<b>y)").group_names(), ElementsAre("", "a", "b"));
  EXPECT_TRUE(Compiled("[(?<a>]x").Matches("<x"));
  EXPECT_TRUE(Compiled("[]^(?<a>[:digit:]]x").Matches("]x"));
  EXPECT_TRUE(Compiled("[[:digit:](?<a>]x").Matches("7x"));
  EXPECT_TRUE(Compiled("\\(?<a>").Matches("(<a>"));
  EXPECT_TRUE(Compiled("\\Q(?<a>\\E").Matches("(?<a>"));
  EXPECT_FALSE(CheckPattern("(?<=a)b").ok());
  EXPECT_FALSE(CheckPattern("[(?<a>x").ok());
  EXPECT_FALSE(CheckPattern("x\\").ok());
}

// Scenario: an optional group that took no part, another that matched nothing.
// Guarantees: the one is null, the other is empty.
TEST(Pattern, TellsGroupsWithoutAMatchFromEmptyOnes) {
  std::vector<std::string_view> groups;
  ASSERT_TRUE(Compiled("a(b)?(c*)").Find("xad", groups));
  EXPECT_EQ(groups[0], "a");
  EXPECT_EQ(groups[1].data(), nullptr);
  EXPECT_NE(groups[2].data(), nullptr);
  EXPECT_FALSE(Compiled("a").Find("b", groups));
}

// Scenario: matches that are long, empty, at both ends, anchored, and over characters of several bytes.
// Guarantees: what Go's ReplaceAllStringFunc gives.
TEST(Pattern, ReplacesAsGoDoes) {
  EXPECT_EQ(Compiled("b+").ReplaceAll("abbcb", Stars), "a*c*");
  EXPECT_EQ(Compiled("^a").ReplaceAll("aaa", Stars), "*aa");
  EXPECT_EQ(Compiled(".*").ReplaceAll("abc", Stars), "*");
  EXPECT_EQ(Compiled(".*").ReplaceAll("", Stars), "*");
  EXPECT_EQ(Compiled("x*").ReplaceAll("abxc", Stars), "*a*b*c*");
  EXPECT_EQ(Compiled("x*").ReplaceAll("ü", Stars), "*ü*");
  EXPECT_EQ(Compiled("x*").ReplaceAll("a\x80\x80", Stars), "*a*\x80*\x80*");
  EXPECT_EQ(Compiled("z").ReplaceAll("abc", Stars), "abc");
}

// Scenario: none, one and several patterns, anchored and not, over texts that one, all or none of them match.
// Guarantees: asked together they answer as one by one.
TEST(PatternList, AnswersAsItsPatterns) {
  const std::vector<std::vector<std::string>> lists = {
      {}, {"b"}, {"^a", "c$", "(?i)X"}, {"\\bfoo\\b", "[0-9]{3}", "(?<n>z)"}, {"", "q"}};
  for (const std::vector<std::string>& expressions : lists) {
    const PatternList list(expressions);
    EXPECT_EQ(list.patterns().size(), expressions.size());
    for (const char* text : {"", "a", "b", "xc", "axc", "a foo b", "food", "1234", "zz", "ü", "\xff"}) {
      bool any = false;
      for (const Pattern& pattern : list.patterns()) any = any || pattern.Matches(text);
      EXPECT_EQ(list.AnyMatches(text), any) << text;
    }
  }
}

TEST(Pattern, RefusesWhatIsNoExpression) {
  EXPECT_EQ(CheckPattern("(").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(CheckPattern("(?i)bearer [a-z]+").ok());
}

}  // namespace
}  // namespace spanloom::pipeline
