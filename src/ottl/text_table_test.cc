// SPDX-License-Identifier: Apache-2.0

#include "ottl/text_table.h"

#include <gtest/gtest.h>

#include <string>

namespace spanloom::ottl {
namespace {

// Scenario: few and many texts, among them such that agree at both ends.
// Guarantees: each is found with its number, and no other.
TEST(TextTable, FindsWhatWasAddedAndNothingElse) {
  for (const size_t count : {0, 1, 6, 7, 40, 1000}) {
    TextTable table;
    const auto text = [](size_t i) { return "the same start " + std::to_string(i) + " and the same end"; };
    for (size_t i = 0; i < count; ++i) table.Add(text(i), i);
    for (size_t i = 0; i < count; ++i) EXPECT_EQ(table.Find(text(i)), i);
    EXPECT_FALSE(table.Contains(text(count)));
    EXPECT_FALSE(table.Contains(""));
    EXPECT_EQ(table.size(), count);
  }
}

// Scenario: texts of some sizes, short and long ones.
// Guarantees: what may be there is never denied; another size is.
TEST(TextTable, DeniesTextsOfOtherSizes) {
  TextTable table;
  EXPECT_FALSE(table.MayContain(""));
  table.Add("url.path", 0);
  table.Add(std::string(200, 'k'), 1);
  EXPECT_TRUE(table.MayContain("url.path"));
  EXPECT_TRUE(table.MayContain("url.full"));
  EXPECT_FALSE(table.MayContain("url"));
  EXPECT_TRUE(table.MayContain(std::string(200, 'k')));
  EXPECT_FALSE(table.MayContain(std::string(62, 'k')));
}

TEST(TextTable, KeepsTheFirstNumberOfAText) {
  TextTable table;
  for (const size_t number : {1, 2}) table.Add("", number);
  EXPECT_EQ(table.Find(""), 1u);
  EXPECT_EQ(table.size(), 1u);
}

}  // namespace
}  // namespace spanloom::ottl
