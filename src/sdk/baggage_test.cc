// SPDX-License-Identifier: Apache-2.0

#include "sdk/baggage.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "sdk/trace_context.h"

namespace spanloom::sdk {
namespace {

// Scenario: members with spaces, properties, escapes and equal signs.
// Guarantees: values are found by their names, decoded; the first counts.
TEST(Baggage, FindsValues) {
  constexpr std::string_view kBaggage = "user = 7;private , tier=a%20b%2Cc,tier=2,eq=a=b,empty=,bare";
  EXPECT_EQ(BaggageValue(kBaggage, "user"), "7");
  EXPECT_EQ(BaggageValue(kBaggage, "tier"), "a b,c");
  EXPECT_EQ(BaggageValue(kBaggage, "eq"), "a=b");
  EXPECT_EQ(BaggageValue(kBaggage, "empty"), "");
  EXPECT_EQ(BaggageValue(kBaggage, "bare"), std::nullopt);
  EXPECT_EQ(BaggageValue(kBaggage, "use"), std::nullopt);
  EXPECT_EQ(BaggageValue("", "user"), std::nullopt);
}

// Scenario: values are set, replaced and taken away.
// Guarantees: what is read is what was set, whatever bytes it has; the others stay as they were.
TEST(Baggage, SetsValues) {
  std::string baggage = "a=1;p=2, b=2";
  ASSERT_TRUE(SetBaggageValue(baggage, "b", "x, y;z=%41\"\\\xC3\xA9"));
  EXPECT_EQ(baggage, "a=1;p=2,b=x%2C%20y%3Bz=%2541%22%5C%C3%A9");
  EXPECT_EQ(BaggageValue(baggage, "b"), "x, y;z=%41\"\\\xC3\xA9");
  ASSERT_TRUE(SetBaggageValue(baggage, "a", std::nullopt));
  ASSERT_TRUE(SetBaggageValue(baggage, "b", std::nullopt));
  EXPECT_EQ(baggage, "");
}

// Scenario: a name that is none, too many bytes, too many members.
// Guarantees: refused, and nothing has changed.
TEST(Baggage, KeepsToItsLimits) {
  std::string baggage = "a=1";
  for (const char* name : {"", "a b", "a=b", "\xC3\xA9"}) EXPECT_FALSE(SetBaggageValue(baggage, name, "v")) << name;
  EXPECT_FALSE(SetBaggageValue(baggage, "big", std::string(kBaggageBytesMax, 'x')));
  EXPECT_EQ(baggage, "a=1");
  for (size_t i = 1; i < kBaggageMembersMax; ++i) EXPECT_TRUE(SetBaggageValue(baggage, StrCat("k", i), "v"));
  EXPECT_FALSE(SetBaggageValue(baggage, "one_more", "v"));
  EXPECT_TRUE(SetBaggageValue(baggage, "k1", "w"));
}

}  // namespace
}  // namespace spanloom::sdk
