// SPDX-License-Identifier: Apache-2.0

#include "base/go_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spanloom {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Scenario: limits in every unit that Go has, and none.
// Guarantees: they are read as Go reads them, without a warning.
TEST(GoLimits, AreReadAsGoReadsThem) {
  EXPECT_EQ(ParseGoLimits("1000", nullptr).memory_bytes, 1'000u);
  EXPECT_EQ(ParseGoLimits("1000B", nullptr).memory_bytes, 1'000u);
  EXPECT_EQ(ParseGoLimits("2KiB", nullptr).memory_bytes, 2'048u);
  EXPECT_EQ(ParseGoLimits("410MiB", nullptr).memory_bytes, 410u << 20);
  EXPECT_EQ(ParseGoLimits("3GiB", nullptr).memory_bytes, 3ull << 30);
  EXPECT_EQ(ParseGoLimits("1TiB", nullptr).memory_bytes, 1ull << 40);
  EXPECT_EQ(ParseGoLimits(nullptr, "4").cores, 4u);
  for (const char* none : {static_cast<const char*>(nullptr), "", "off"}) {
    const GoLimits limits = ParseGoLimits(none, "");
    EXPECT_EQ(limits.memory_bytes, std::nullopt);
    EXPECT_EQ(limits.cores, std::nullopt);
    EXPECT_THAT(limits.warnings, IsEmpty());
  }
}

// Scenario: texts that Go takes for no limit, or that are too large.
// Guarantees: no limit, and a warning that repeats the variable.
TEST(GoLimits, WarnOfWhatIsNone) {
  for (const char* text :
       {"80%", "1.5GiB", "-1", "+1", " 1", "1GB", "1 GiB", "GiB", "0", "9223372036854775808", "8388608TiB"}) {
    const GoLimits limits = ParseGoLimits(text, nullptr);
    EXPECT_EQ(limits.memory_bytes, std::nullopt) << text;
    EXPECT_THAT(limits.warnings, ElementsAre(HasSubstr("GOMEMLIMIT=" + std::string(text) + " "))) << text;
  }
  for (const char* text : {"0", "-2", "two", "1.5"}) {
    const GoLimits limits = ParseGoLimits(nullptr, text);
    EXPECT_EQ(limits.cores, std::nullopt) << text;
    EXPECT_THAT(limits.warnings, ElementsAre(HasSubstr("GOMAXPROCS=" + std::string(text) + " "))) << text;
  }
}

}  // namespace
}  // namespace spanloom
