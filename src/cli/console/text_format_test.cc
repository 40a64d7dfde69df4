// SPDX-License-Identifier: Apache-2.0

#include "cli/console/text_format.h"

#include <gtest/gtest.h>

#include <limits>

namespace spanloom::cli::console {
namespace {

TEST(TextFormat, GroupsDigits) {
  EXPECT_EQ(Grouped(0), "0");
  EXPECT_EQ(Grouped(999), "999");
  EXPECT_EQ(Grouped(1'000), "1,000");
  EXPECT_EQ(Grouped(std::numeric_limits<uint64_t>::max()), "18,446,744,073,709,551,615");
  EXPECT_EQ(CountOf(0, "span"), "0 spans");
  EXPECT_EQ(CountOf(1, "span"), "1 span");
  EXPECT_EQ(CountOf(1'000, "span"), "1,000 spans");
}

TEST(TextFormat, ScalesBytes) {
  EXPECT_EQ(FormatBytes(999), "999 B");
  EXPECT_EQ(FormatBytes(1'234), "1.2 kB");
  EXPECT_EQ(FormatBytes(999'960), "1.0 MB");
  EXPECT_EQ(FormatBytes(433'700'000), "433.7 MB");
  EXPECT_EQ(FormatBytes(std::numeric_limits<uint64_t>::max()), "18446.7 PB");
}

TEST(TextFormat, SaysTimesToTheNanosecond) {
  EXPECT_EQ(FormatTime(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatTime(1'700'000'000'000'000'000), "2023-11-14T22:13:20Z");
  EXPECT_EQ(FormatTime(1'700'000'000'123'456'789), "2023-11-14T22:13:20.123456789Z");
  EXPECT_EQ(FormatTime(std::numeric_limits<uint64_t>::max()), "2554-07-21T23:34:33.709551615Z");
}

}  // namespace
}  // namespace spanloom::cli::console
