// SPDX-License-Identifier: Apache-2.0

#include "net/grpc/framing.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "net/testing/net_fixture.h"

namespace spanloom::net::grpc {
namespace {

// Scenario: a message, cut into pieces of every size.
// Guarantees: the pieces don't matter.
TEST(MessageReader, JoinsPiecesOfAnySizeProperty) {
  const std::string content = RandomBytes(40, 1);
  const std::string framed = StrCat(MessagePrefix(false, content.size()), content);
  for (size_t piece_bytes = 1; piece_bytes <= framed.size(); ++piece_bytes) {
    MessageReader reader(100);
    for (size_t i = 0; i < framed.size(); i += piece_bytes) {
      ASSERT_TRUE(reader.Append(std::string_view(framed).substr(i, piece_bytes)).ok());
    }
    EXPECT_EQ(std::move(reader).Finish(Compression::kNone)->view(), content);
  }
}

TEST(MessageReader, TakesAMessageOfTheLimit) {
  MessageReader reader(3);
  EXPECT_TRUE(reader.Append(StrCat(MessagePrefix(false, 3), "abc")).ok());
  MessageReader smaller(2);
  EXPECT_TRUE(absl::IsResourceExhausted(smaller.Append(MessagePrefix(false, 3))));
}

TEST(MessageReader, DecompressesWhatIsFlagged) {
  const Bytes compressed = Compress(Compression::kGzip, "hello");
  MessageReader reader(100);
  ASSERT_TRUE(reader.Append(StrCat(MessagePrefix(true, compressed.size()), compressed.view())).ok());
  EXPECT_EQ(std::move(reader).Finish(Compression::kGzip)->view(), "hello");
}

TEST(MessageReader, LeavesWhatIsNotFlagged) {
  MessageReader reader(100);
  ASSERT_TRUE(reader.Append(StrCat(MessagePrefix(false, 5), "plain")).ok());
  EXPECT_EQ(std::move(reader).Finish(Compression::kGzip)->view(), "plain");
}

TEST(MessagePrefix, IsFlagAndLengthInNetworkOrder) {
  EXPECT_EQ(MessagePrefix(true, 0x01020304), std::string("\x01\x01\x02\x03\x04"));
}

}  // namespace
}  // namespace spanloom::net::grpc
