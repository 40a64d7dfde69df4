// SPDX-License-Identifier: Apache-2.0
//
// Zstandard and LZ4: what other writers make of a content, and several frames in a row.

#include <gtest/gtest.h>

#include <string>

#include "base/text.h"
#include "net/coding/lz4.h"
#include "net/coding/zstd.h"
#include "net/testing/net_fixture.h"

namespace spanloom::net::coding {
namespace {

constexpr size_t kPlenty = 64 << 20;
constexpr std::string_view kText = "spanloom spanloom spanloom ";

// Scenario: frames of python-zstandard, one that says its size and has a checksum, and one of a stream, with neither.
TEST(Zstd, ReadsWhatOthersWrite) {
  const std::string_view frame("\x28\xb5\x2f\xfd\x24\x1b\x7d\x00\x00\x48spanloom \x01\x00\xf4\xca\x11\x0b\x4a\x6f\x24",
                               28);
  const std::string_view streamed("\x28\xb5\x2f\xfd\x00\x58\x7d\x00\x00\x48spanloom \x01\x00\xf4\xca\x11", 24);
  EXPECT_EQ(DecompressZstd(frame, kPlenty)->view(), kText);
  EXPECT_EQ(DecompressZstd(streamed, kPlenty)->view(), kText);
}

TEST(Zstd, JoinsFrames) {
  const std::string first = Repetitive(300'000);
  const std::string frames = StrCat(CompressZstd(first, 1).view(), CompressZstd(kText, 3).view());
  EXPECT_EQ(DecompressZstd(frames, kPlenty)->view(), StrCat(first, kText));
  EXPECT_TRUE(absl::IsResourceExhausted(DecompressZstd(frames, 300'000).status()));
}

// Scenario: a frame whose header asks for a window of 2 GiB, and one that says it has an exabyte.
// Guarantees: neither allocates more than the limit: the first is read, the second refused.
TEST(Zstd, AllocatesNoMoreThanItsLimit) {
  const std::string_view window("\x28\xb5\x2f\xfd\x00\xa8\x7d\x00\x00\x48spanloom \x01\x00\xf4\xca\x11", 24);
  EXPECT_EQ(DecompressZstd(window, 27)->view(), kText);
  const std::string_view claim(
      "\x28\xb5\x2f\xfd\xe0\x00\x00\x00\x00\x00\x00\x00\x10\x7d\x00\x00\x48spanloom \x01\x00\xf4", 29);
  EXPECT_FALSE(DecompressZstd(claim, 1000).ok());
}

// Guarantees: the bytes of older formats, which the library knows too, are none of this coding.
TEST(Zstd, RefusesOlderFormats) {
  EXPECT_TRUE(
      absl::IsInvalidArgument(DecompressZstd(std::string_view("\x27\xb5\x2f\xfd\x00\x00\x00", 7), 10).status()));
}

TEST(Lz4, ReadsWhatOthersWrite) {
  const std::string_view frame(
      "\x04\x22\x4d\x18\x64\x40\xa7\x12\x00\x00\x00\x99spanloom \x09\x00\x50loom \x00\x00\x00\x00\x18\x4a\x59\x2c", 37);
  EXPECT_EQ(DecompressLz4(frame, kPlenty)->view(), kText);
}

TEST(Lz4, JoinsFrames) {
  const std::string first = Repetitive(300'000);
  const std::string frames = StrCat(CompressLz4(first).view(), CompressLz4(kText).view());
  EXPECT_EQ(DecompressLz4(frames, kPlenty)->view(), StrCat(first, kText));
  EXPECT_EQ(DecompressLz4(frames, first.size() + kText.size())->view(), StrCat(first, kText));
  EXPECT_TRUE(absl::IsResourceExhausted(DecompressLz4(frames, 300'000).status()));
}

}  // namespace
}  // namespace spanloom::net::coding
