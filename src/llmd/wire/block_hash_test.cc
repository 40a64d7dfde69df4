// SPDX-License-Identifier: Apache-2.0

#include "llmd/wire/block_hash.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spanloom::llmd::wire {
namespace {

using testing::ElementsAre;

const std::vector<TokenId> kTokens = {1, 2, 3, 300, 70'000, 5, 6, 4'294'967'295, 7};

// Scenario: two full blocks and a ninth token, of ids that take each length of CBOR.
// Guarantees: the hashes are those that Python computes with hashlib over the same bytes; what is no full block has
// none.
TEST(BlockHash, IsSha256OfCanonicalCbor) {
  const BlockHasher hasher(BlockHashAlgorithm::kSha256Cbor, 4, "0");
  EXPECT_THAT(hasher.Hash(kTokens), ElementsAre(7184318795270558640U, 16044941158036427717U));
  EXPECT_THAT(hasher.Hash(kTokens, std::vector<std::string>{"ad"}),
              ElementsAre(2942414237150352289U, 1408467900152225722U));
}

TEST(BlockHash, DependsOnSeedAlgorithmAndWhatStandsBefore) {
  const BlockHasher hasher(BlockHashAlgorithm::kXxhashCbor, 4, "0");
  const std::vector<uint64_t> hashes = hasher.Hash(kTokens);
  ASSERT_EQ(hashes.size(), 2);
  EXPECT_NE(hashes, BlockHasher(BlockHashAlgorithm::kXxhashCbor, 4, "1").Hash(kTokens));
  EXPECT_NE(hashes, BlockHasher(BlockHashAlgorithm::kSha256Cbor, 4, "0").Hash(kTokens));
  std::vector<TokenId> other = kTokens;
  other[0] = 9;
  EXPECT_NE(hasher.Hash(other)[1], hashes[1]);
  // A salt is of the first block, and so of all behind it.
  const std::vector<std::string> salt = {"s"};
  EXPECT_NE(hasher.Hash(kTokens, {}, salt)[1], hashes[1]);
  EXPECT_NE(hasher.Hash(kTokens, {}, salt), hasher.Hash(kTokens, salt));
}

TEST(BlockHash, RefusesWhatOnlyPythonCanHash) {
  EXPECT_EQ(*ParseBlockHashAlgorithm("xxhash_cbor"), BlockHashAlgorithm::kXxhashCbor);
  for (const char* name : {"sha256", "xxhash", "md5", ""}) {
    EXPECT_EQ(ParseBlockHashAlgorithm(name).status().code(), absl::StatusCode::kInvalidArgument) << name;
  }
}

}  // namespace
}  // namespace spanloom::llmd::wire
