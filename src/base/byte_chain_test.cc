// SPDX-License-Identifier: Apache-2.0

#include "base/byte_chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spanloom {
namespace {

// Guarantees: pieces stay where they are and in order, empty ones are none, one alone is joined without a copy.
TEST(ByteChain, KeepsPiecesWhereTheyAre) {
  const Bytes first = Bytes::CopyOf("first,");
  ByteChain chain(first);
  chain.Append(Bytes());
  EXPECT_EQ(chain.Joined().data(), first.data());
  chain.Append(Bytes::CopyOf("second"));
  ASSERT_EQ(chain.pieces().size(), 2u);
  EXPECT_EQ(chain.pieces()[0].data(), first.data());
  EXPECT_EQ(chain.size(), 12u);
  EXPECT_EQ(chain.Joined().view(), "first,second");
}

TEST(ByteChain, OfNothingIsEmpty) {
  EXPECT_TRUE(ByteChain(Bytes()).empty());
  EXPECT_EQ(ByteChain().Joined().view(), "");
}

}  // namespace
}  // namespace spanloom
