// SPDX-License-Identifier: Apache-2.0

#include "base/utf8.h"

#include <gtest/gtest.h>

namespace spanloom {
namespace {

// Scenario: text of one to four bytes a character behind ASCII of every length up to two words; the same with a byte
// too much or too few, an overlong form, a surrogate, and what is above Unicode.
// Guarantees: only the first are UTF-8, wherever they stand.
TEST(Utf8, KnowsWhatIsValid) {
  for (size_t before = 0; before <= 16; ++before) {
    const std::string ascii(before, 'a');
    for (const char* valid : {"", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\x7F"}) {
      EXPECT_TRUE(IsUtf8(ascii + valid + "z")) << before;
    }
    for (const char* bad : {"\xC3", "\xA9", "\xE2\x82", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xFF"}) {
      EXPECT_FALSE(IsUtf8(ascii + bad + "z")) << before;
      EXPECT_FALSE(IsUtf8(ascii + bad)) << before;
    }
  }
}

// Scenario: valid text with bytes between that belong to nothing.
// Guarantees: each of them becomes one replacement character, the rest stays.
TEST(Utf8, RepairsByteByByte) {
  EXPECT_EQ(RepairUtf8("a\xE2\x82z\xC3\xA9"), "a\xEF\xBF\xBD\xEF\xBF\xBDz\xC3\xA9");
  EXPECT_EQ(RepairUtf8("plain"), "plain");
  EXPECT_TRUE(IsUtf8(RepairUtf8("\xFF\xFE\xF0\x9F")));
}

// Scenario: text is cut after a number of characters.
// Guarantees: no character is cut in two.
TEST(Utf8, CutsBetweenCharacters) {
  EXPECT_EQ(Utf8Prefix("\xC3\xA9\xE2\x82\xACz", 2), "\xC3\xA9\xE2\x82\xAC");
  EXPECT_EQ(Utf8Prefix("\xC3\xA9\xE2\x82\xACz", 0), "");
  EXPECT_EQ(Utf8Prefix("ab", 5), "ab");
  EXPECT_EQ(Utf8Prefix("\xFF\xFFz", 1), "\xFF");
}

}  // namespace
}  // namespace spanloom
