// SPDX-License-Identifier: Apache-2.0

#include "store/crc32c.h"

#include <gtest/gtest.h>

#include <string>

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

// Scenario: content in two parts.
// Guarantees: the second call continues the first.
TEST(Crc32c, ContinuesOverParts) {
  EXPECT_EQ(Crc32c("456789", Crc32c("123")), Crc32c("123456789"));
}

}  // namespace
}  // namespace spanloom::store
