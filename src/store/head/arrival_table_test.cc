// SPDX-License-Identifier: Apache-2.0

#include "store/head/arrival_table.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/rng.h"
#include "store/head/few_set.h"

namespace spanloom::store::head {
namespace {

// Scenario: spans with few different hashes, next to one another, far more than are compared one by one.
// Guarantees: each is found by its own hash, with all others of that hash, and one that did not come is not found.
TEST(ArrivalTable, FindsEachByItsHashProperty) {
  Rng rng(3);
  ArrivalTable table;
  std::vector<uint64_t> hashes;
  for (uint32_t count = 0; count < 100; ++count) {
    for (uint32_t number = 0; number < count; ++number) {
      EXPECT_TRUE(table.Contains(hashes[number], [&](uint32_t other) { return other == number; }));
      EXPECT_FALSE(table.Contains(hashes[number], [](uint32_t) { return false; }));
    }
    EXPECT_FALSE(table.Contains(1'000, [](uint32_t) { return true; }));
    EXPECT_EQ(table.size(), count);
    hashes.push_back(rng.Below(20));
    table.Add(hashes.back());
  }
}

// Scenario: members come twice, few and then many.
// Guarantees: each is in the set once, in the order in which they came.
TEST(FewSet, KeepsEachMemberOnce) {
  FewSet<int, 4> set;
  std::vector<int> expected;
  for (int i = 0; i < 40; ++i) {
    EXPECT_FALSE(set.Contains(i));
    EXPECT_TRUE(set.Insert(i));
    expected.push_back(i);
    EXPECT_FALSE(set.Insert(i / 2));
    EXPECT_EQ(std::vector<int>(set.begin(), set.end()), expected);
  }
  set.Clear();
  EXPECT_FALSE(set.Contains(0));
  EXPECT_TRUE(set.Insert(0));
}

}  // namespace
}  // namespace spanloom::store::head
