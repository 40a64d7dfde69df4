// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/lru_map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <utility>

#include "base/rng.h"

namespace spanloom::pipeline {
namespace {

TEST(LruMap, RemembersNothingInNoRoom) {
  LruMap<int, int> map(0);
  map.Put(1, 2);
  EXPECT_EQ(map.Find(1), nullptr);
}

TEST(LruMap, LookingWithoutAskingChangesNothing) {
  LruMap<int, int> map(2);
  map.Put(1, 1);
  map.Put(2, 2);
  EXPECT_TRUE(map.Contains(1));
  map.Put(3, 3);
  EXPECT_FALSE(map.Contains(1));
  EXPECT_TRUE(map.Contains(2));
}

// Scenario: random puts and finds of few keys in maps of little room.
// Guarantees: a list in order of use says the same.
TEST(LruMapProperty, IsAListInOrderOfUse) {
  Rng rng(1);
  for (size_t room = 1; room < 6; ++room) {
    LruMap<uint64_t, uint64_t> map(room);
    std::list<std::pair<uint64_t, uint64_t>> list;  // last used first
    for (int step = 0; step < 2'000; ++step) {
      const uint64_t key = rng.Below(8);
      const auto found = std::find_if(list.begin(), list.end(), [&](const auto& each) { return each.first == key; });
      if (rng.Below(2) == 0) {
        const uint64_t* const value = map.Find(key);
        ASSERT_EQ(value != nullptr, found != list.end());
        if (value == nullptr) continue;
        ASSERT_EQ(*value, found->second);
        list.splice(list.begin(), list, found);
      } else {
        const uint64_t value = rng.Next();
        map.Put(key, value);
        if (found != list.end()) list.erase(found);
        list.emplace_front(key, value);
        if (list.size() > room) list.pop_back();
      }
      ASSERT_EQ(map.size(), list.size());
    }
  }
}

}  // namespace
}  // namespace spanloom::pipeline
