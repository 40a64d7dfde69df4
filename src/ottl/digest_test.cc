// SPDX-License-Identifier: Apache-2.0

#include "ottl/digest.h"

#include <gtest/gtest.h>

namespace spanloom::ottl {
namespace {

// The digests of "abc": RFC 1321, FIPS 180-4 and FIPS 202.
TEST(Digest, IsThatOfTheStandards) {
  EXPECT_EQ(HexDigest(Digest::kMd5, "abc"), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(HexDigest(Digest::kSha1, "abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(HexDigest(Digest::kSha256, "abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(HexDigest(Digest::kSha3, "abc"), "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532");
  EXPECT_EQ(HexDigest(Digest::kMd5, ""), "d41d8cd98f00b204e9800998ecf8427e");
}

// RFC 4231, test case 2.
TEST(Digest, HmacIsThatOfTheStandard) {
  EXPECT_EQ(HexHmac(Digest::kSha256, "Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(HexHmac(Digest::kSha512, "Jefe", "what do ya want for nothing?"),
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
            "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
}

}  // namespace
}  // namespace spanloom::ottl
