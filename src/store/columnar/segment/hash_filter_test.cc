// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/hash_filter.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace spanloom::store::columnar {
namespace {

TEST(HashFilter, OfNothingHasNothing) {
  EXPECT_FALSE(HashFilter(0).MayHave(0));
  EXPECT_FALSE(HashFilter(0).MayHave(1));
}

// Guarantees: whatever was put in is there; of what was not, at most one in 100.
TEST(HashFilterProperty, HasWhatItWasMadeOf) {
  Rng rng(1);
  for (const uint64_t range : {uint64_t{1} << 22, uint64_t{1} << 27, ~uint64_t{0}}) {
    for (const size_t count : {1U, 40U, 1'000U, 40'000U}) {
      std::vector<uint64_t> hashes;
      for (size_t i = 0; i < count; ++i) hashes.push_back(rng.Below(range));
      HashFilter filter(count);
      for (const uint64_t hash : hashes) filter.Add(hash);
      for (const uint64_t hash : hashes) ASSERT_TRUE(filter.MayHave(hash));
      int strange = 0;
      constexpr int kAsked = 20'000;
      for (int i = 0; i < kAsked; ++i) strange += filter.MayHave(rng.Below(range)) ? 1 : 0;
      const double present = static_cast<double>(count) / static_cast<double>(range);
      EXPECT_LT(strange, kAsked * (0.01 + present)) << count << " of " << range;
    }
  }
}

}  // namespace
}  // namespace spanloom::store::columnar
