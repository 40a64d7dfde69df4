// SPDX-License-Identifier: Apache-2.0

#include "net/compression.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/testing/test_data.h"
#include "base/text.h"
#include "net/testing/net_fixture.h"

namespace spanloom::net {
namespace {

constexpr Compression kCodings[] = {Compression::kGzip, Compression::kDeflate, Compression::kZlib,
                                    Compression::kZstd, Compression::kSnappy,  Compression::kSnappyFramed,
                                    Compression::kLz4};
constexpr Compression kWithAnEnd[] = {Compression::kGzip, Compression::kDeflate, Compression::kZstd,
                                      Compression::kSnappy, Compression::kLz4};
constexpr size_t kPlenty = 64 << 20;

std::string Recorded(const std::string& name) {
  std::ifstream file(TestData() / "recorded" / name, std::ios::binary);
  EXPECT_TRUE(file.good()) << name;
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

// Scenario: recorded requests, incompressible bytes and nothing at all are compressed and decompressed.
// Guarantees: what comes out is what went in, for each coding and for sizes around the blocks of DEFLATE.
TEST(Compression, RoundTripKeepsEveryByteProperty) {
  std::vector<std::string> contents = {"", "a", Recorded("llmd-router-head/002-vllm-prefill.pb"), Repetitive(3 << 20)};
  for (const size_t bytes : {1U, 64U, 32767U, 32768U, 65535U, 65536U, 300'000U}) {
    contents.push_back(RandomBytes(bytes, bytes));
  }
  for (const Compression coding : kCodings) {
    for (const std::string& content : contents) {
      const Bytes compressed = Compress(coding, content);
      const StatusOr<Bytes> decompressed = Decompress(coding, compressed.view(), kPlenty);
      ASSERT_TRUE(decompressed.ok()) << decompressed.status();
      EXPECT_EQ(decompressed->view(), content);
      if (content.empty()) continue;
      EXPECT_TRUE(absl::IsResourceExhausted(Decompress(coding, compressed.view(), content.size() - 1).status()));
    }
  }
}

// Guarantees: every level that is taken gives what can be read, and a higher one of gzip and zstd takes less room.
TEST(Compression, HasLevels) {
  const std::string content = Recorded("llmd-router-head/002-vllm-prefill.pb");
  for (const Compression coding : kCodings) {
    for (int level = -3; level <= 23; ++level) {
      if (!CheckLevel(coding, level).ok()) continue;
      const Bytes compressed = Compress(coding, content, level);
      EXPECT_EQ(Decompress(coding, compressed.view(), content.size())->view(), content);
    }
  }
  for (const Compression coding : {Compression::kGzip, Compression::kZlib, Compression::kZstd}) {
    EXPECT_LT(Compress(coding, content, 9).size(), Compress(coding, content, 1).size());
  }
}

TEST(Compression, TakesTheLevelsOfTheCollector) {
  for (const int level : {-2, -1, 0, 1, 9}) EXPECT_TRUE(CheckLevel(Compression::kGzip, level).ok()) << level;
  for (const int level : {-3, 10}) EXPECT_TRUE(absl::IsInvalidArgument(CheckLevel(Compression::kZlib, level)));
  EXPECT_TRUE(CheckLevel(Compression::kZstd, 22).ok());
  for (const Compression coding : {Compression::kSnappy, Compression::kLz4, Compression::kNone}) {
    EXPECT_TRUE(CheckLevel(coding, 0).ok());
    EXPECT_TRUE(absl::IsInvalidArgument(CheckLevel(coding, 1)));
  }
}

TEST(Compression, MakesRecordedSpansSmaller) {
  const std::string content = Repetitive(100'000);
  EXPECT_LT(Compress(Compression::kGzip, content).size(), content.size() / 5);
}

TEST(Compression, NoneCopies) {
  EXPECT_EQ(Compress(Compression::kNone, "abc").view(), "abc");
  EXPECT_EQ(Decompress(Compression::kNone, "abc", 3)->view(), "abc");
  EXPECT_TRUE(absl::IsResourceExhausted(Decompress(Compression::kNone, "abc", 2).status()));
}

// Scenario: contents below and above what a loop may inflate: that say their size, that have none, and that hide it
// before a second member of gzip, each as small as DEFLATE makes it.
// Guarantees: what is small is inflated at once; what is large is left to a worker, however small it was compressed.
TEST(Compression, LeavesMuchToAWorker) {
  const std::string small(kInflatedOnLoopBytesMax, 'x');
  const std::string large(kInflatedOnLoopBytesMax + 1, 'x');
  for (const Compression coding : kCodings) {
    const auto inflated = DecompressOnLoop(coding, Compress(coding, small).view(), kPlenty);
    ASSERT_TRUE(inflated.has_value() && inflated->ok());
    EXPECT_EQ((*inflated)->view(), small);
    EXPECT_FALSE(DecompressOnLoop(coding, Compress(coding, large).view(), kPlenty).has_value());
    const std::string noise = RandomBytes(kDeflatedOnLoopBytesMax, 1);
    EXPECT_FALSE(DecompressOnLoop(coding, Compress(coding, noise).view(), kPlenty).has_value());
  }
  const std::string hidden =
      StrCat(Compress(Compression::kGzip, large).view(), Compress(Compression::kGzip, "").view());
  EXPECT_FALSE(DecompressOnLoop(Compression::kGzip, hidden, kPlenty).has_value());
}

// Guarantees: what is refused anyway is refused on the loop, unless that would take long too.
TEST(Compression, RefusesOnTheLoopWhatItCan) {
  const std::string content(1000, 'x');
  for (const Compression coding : kCodings) {
    const Bytes compressed = Compress(coding, content);
    EXPECT_TRUE(absl::IsResourceExhausted(DecompressOnLoop(coding, compressed.view(), 999)->status()));
    EXPECT_TRUE(DecompressOnLoop(coding, compressed.view(), 1000)->ok());
    EXPECT_TRUE(absl::IsInvalidArgument(DecompressOnLoop(coding, "no such coding", kPlenty)->status()));
  }
  EXPECT_EQ((*DecompressOnLoop(Compression::kNone, content, kPlenty))->view(), content);
}

// Scenario: 200 MB of zeros in 200 kB of gzip, with a limit of 1 MB; and content of exactly the limit, and one byte
// more. Guarantees: a bomb is refused as too large, and the limit is exact.
TEST(Compression, RefusesWhatInflatesOverTheLimit) {
  for (const Compression coding : kCodings) {
    const Bytes bomb = Compress(coding, std::string(200 << 20, '\0'));
    EXPECT_TRUE(absl::IsResourceExhausted(Decompress(coding, bomb.view(), 1 << 20).status()));
    const Bytes compressed = Compress(coding, Repetitive(10'000));
    EXPECT_TRUE(Decompress(coding, compressed.view(), 10'000).ok());
    EXPECT_TRUE(absl::IsResourceExhausted(Decompress(coding, compressed.view(), 9'999).status()));
  }
}

// Scenario: 64 MiB of zeros in each coding that makes them small, as far as it does.
// Guarantees: what is over the limit is refused without being inflated.
TEST(Compression, StopsBombsOfEachCoding) {
  const std::string zeros(64 << 20, '\0');
  for (const Compression coding : kCodings) {
    const Bytes bomb = Compress(coding, zeros);
    EXPECT_TRUE(absl::IsResourceExhausted(Decompress(coding, bomb.view(), 1'000'000).status()));
  }
}

// Scenario: a gzip trailer claims 4 GB, another claims nothing.
// Guarantees: the claim is a hint only. Claims too high fail by their check and not by memory; claims too low too.
TEST(Compression, DoesNotBelieveTheGzipTrailer) {
  const Bytes compressed = Compress(Compression::kGzip, Repetitive(100'000));
  for (const char claim : {'\xff', '\0'}) {
    std::string forged(compressed.view());
    forged.replace(forged.size() - 4, 4, 4, claim);
    EXPECT_TRUE(absl::IsInvalidArgument(Decompress(Compression::kGzip, forged, kPlenty).status()));
  }
}

// Scenario: every prefix of a compressed request.
// Guarantees: content that is cut short is never taken for whole, and never fails in another way.
TEST(Compression, RefusesWhatIsCutShort) {
  for (const Compression coding : kWithAnEnd) {
    const Bytes compressed = Compress(coding, Repetitive(3'000));
    for (size_t bytes = 0; bytes < compressed.size(); ++bytes) {
      const Status status = Decompress(coding, compressed.view().substr(0, bytes), kPlenty).status();
      EXPECT_TRUE(absl::IsInvalidArgument(status)) << bytes << " " << status;
    }
  }
}

TEST(Compression, RefusesWhatIsNotOfTheCoding) {
  for (const Compression coding : kCodings) {
    EXPECT_TRUE(absl::IsInvalidArgument(Decompress(coding, "plain text", kPlenty).status()));
  }
  std::string with_more(Compress(Compression::kDeflate, "abc").view());
  with_more.append("more");
  EXPECT_TRUE(absl::IsInvalidArgument(Decompress(Compression::kDeflate, with_more, kPlenty).status()));
}

// Scenario: gzip members one after the other, the first much larger than the last (whose size is the hint).
// Guarantees: they are one content (RFC 1952), and the limit holds for their sum.
TEST(Compression, JoinsGzipMembers) {
  const std::string first = Repetitive(200'000);
  const std::string second = "end";
  std::string members(Compress(Compression::kGzip, first).view());
  members.append(Compress(Compression::kGzip, second).view());
  EXPECT_EQ(Decompress(Compression::kGzip, members, kPlenty)->view(), first + second);
  EXPECT_TRUE(absl::IsResourceExhausted(Decompress(Compression::kGzip, members, 200'002).status()));
}

TEST(Compression, NamesAreTheOnesOfTheWeb) {
  EXPECT_EQ(*ParseCompression(""), Compression::kNone);
  EXPECT_EQ(*ParseCompression("identity"), Compression::kNone);
  EXPECT_EQ(*ParseCompression("gzip"), Compression::kGzip);
  EXPECT_EQ(*ParseCompression("deflate"), Compression::kDeflate);
  for (const Compression coding : kCodings) EXPECT_EQ(*ParseCompression(ContentEncoding(coding)), coding);
  EXPECT_TRUE(absl::IsUnimplemented(ParseCompression("br").status()));
}

}  // namespace
}  // namespace spanloom::net
