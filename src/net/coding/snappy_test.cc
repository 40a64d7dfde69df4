// SPDX-License-Identifier: Apache-2.0

#include "net/coding/snappy.h"

#include <gtest/gtest.h>

#include <string>

#include "base/text.h"
#include "net/testing/net_fixture.h"

namespace spanloom::net::coding {
namespace {

constexpr size_t kPlenty = 1 << 20;

// As python-snappy's StreamCompressor writes it.
std::string Framed() {
  const std::string_view chunk("\x00\x13\x00\x00\x3e\xb1\xf0\xbe\x1b\x24spanloom s\x42\x09\x00", 23);
  return std::string("\xff\x06\x00\x00sNaPpY", 10).append(chunk);
}

bool IsRefused(const std::string& content) {
  return absl::IsInvalidArgument(DecompressFramedSnappy(content, kPlenty).status());
}

TEST(Snappy, ReadsWhatOthersWrite) {
  const std::string_view block("\x1b\x24spanloom s\x42\x09\x00", 15);
  EXPECT_EQ(DecompressSnappy(block, kPlenty)->view(), "spanloom spanloom spanloom ");
  EXPECT_EQ(DecompressFramedSnappy(Framed(), kPlenty)->view(), "spanloom spanloom spanloom ");
}

// Scenario: chunks of kinds that are no data, padding and reserved ones, and the stream's start once more.
// Guarantees: what may be skipped is skipped, what may not is refused.
TEST(Snappy, SkipsWhatItMay) {
  constexpr std::string_view kSkipped("\xfe\x03\x00\x00\x00\x00\x00", 7);
  constexpr std::string_view kReserved("\x80\x00\x00\x00", 4);
  const std::string framed = StrCat(Framed(), kSkipped, kReserved, Framed());
  EXPECT_EQ(DecompressFramedSnappy(framed, kPlenty)->size(), 2 * 27);
  EXPECT_TRUE(IsRefused(StrCat(Framed(), std::string_view("\x02\x00\x00\x00", 4))));
  EXPECT_TRUE(IsRefused(StrCat(Framed(), std::string_view("\xff\x06\x00\x00snappy", 10))));
}

// Scenario: each byte of a framed content is changed.
// Guarantees: what is taken has the checksum that is written beside it.
TEST(Snappy, ChecksItsChecksums) {
  for (size_t i = 0; i < Framed().size(); ++i) {
    std::string changed = Framed();
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_TRUE(IsRefused(changed)) << i;
  }
}

// Guarantees: what is cut off inside a chunk is refused; between two chunks it can't be seen.
TEST(Snappy, SeesWhatIsCutOffInsideAChunk) {
  for (size_t bytes = 1; bytes < Framed().size(); ++bytes) {
    EXPECT_EQ(IsRefused(Framed().substr(0, bytes)), bytes != 10) << bytes;
  }
  EXPECT_EQ(DecompressFramedSnappy("", kPlenty)->view(), "");
}

// Scenario: a few bytes say that they inflate to 4 GiB, or to more than a chunk may have.
// Guarantees: they are refused before anything is allocated for them.
TEST(Snappy, DoesNotBelieveWhatCanNotBe) {
  EXPECT_TRUE(absl::IsInvalidArgument(DecompressSnappy("\xff\xff\xff\xff\x0f....", 1ULL << 40).status()));
  const std::string large(65537, 'x');
  const Bytes block = CompressSnappy(large);
  std::string chunk(1, '\0');
  for (size_t i = 0; i < 3; ++i) chunk.push_back(static_cast<char>((block.size() + 4) >> 8 * i));
  EXPECT_TRUE(IsRefused(StrCat(std::string_view("\xff\x06\x00\x00sNaPpY", 10), chunk, "sums", block.view())));
}

}  // namespace
}  // namespace spanloom::net::coding
