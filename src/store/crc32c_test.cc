// SPDX-License-Identifier: Apache-2.0

#include "store/crc32c.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "base/rng.h"

namespace spanloom::store {
namespace {

// Scenario: the examples of RFC 3720, B.4, and the check value of the CRC catalogue.
// Guarantees: it is CRC-32C and no other.
TEST(Crc32c, AgreesWithThePublishedValues) {
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(Crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(Crc32c(""), 0U);
}

// Scenario: every length up to 600 bytes, from every alignment within 16, against the definition: bit by bit.
// Guarantees: the same checksum whichever instructions the library uses for that length.
TEST(Crc32c, AgreesWithTheDefinitionAtEveryLengthAndAlignment) {
  std::string content(616, '\0');
  Rng rng(1);
  for (char& byte : content) byte = static_cast<char>(rng.Next());
  for (size_t start = 0; start < 16; ++start) {
    uint32_t remainder = ~0U;
    for (size_t length = 0; length <= 600; ++length) {
      ASSERT_EQ(Crc32c(std::string_view(content).substr(start, length)), ~remainder) << start << " " << length;
      remainder ^= static_cast<uint8_t>(content[start + length]);
      for (int bit = 0; bit < 8; ++bit) remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? 0x82F63B78 : 0);
    }
  }
}

// Scenario: content in two parts.
// Guarantees: the second call continues the first.
TEST(Crc32c, ContinuesOverParts) {
  EXPECT_EQ(Crc32c("456789", Crc32c("123")), Crc32c("123456789"));
}

}  // namespace
}  // namespace spanloom::store
