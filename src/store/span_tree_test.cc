// SPDX-License-Identifier: Apache-2.0

#include "store/span_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>

#include "base/rng.h"
#include "base/text.h"
#include "store/conformance/request_builder.h"

namespace spanloom::store {
namespace {

using testing::ElementsAre;

// Links from numbers: {id, parent id}.
std::vector<SpanLink> Links(const std::vector<std::pair<uint64_t, uint64_t>>& numbers) {
  std::vector<SpanLink> links;
  for (const auto& [id, parent] : numbers) links.push_back({.id = MakeSpanId(id), .parent_id = MakeSpanId(parent)});
  return links;
}

// "left-right^parent left/children" of each span; "!" behind orphans.
std::vector<std::string> Describe(const std::vector<SpanPlace>& places) {
  std::vector<std::string> described;
  for (const SpanPlace& place : places) {
    described.push_back(StrCat(place.left, "-", place.right, "^", place.parent_left, "/", place.child_count,
                               place.is_orphan ? "!" : ""));
  }
  return described;
}

std::vector<std::string> Places(const std::vector<std::pair<uint64_t, uint64_t>>& numbers) {
  return Describe(PlaceSpans(Links(numbers)));
}

// Scenario: a root with two children, one of which has a child; a second root.
// Guarantees: TraceQL's numbers: left on the way in, right on the way out, trees one after the other.
TEST(SpanTree, NumbersSpansDepthFirst) {
  EXPECT_THAT(Places({{1, 0}, {2, 1}, {3, 1}, {4, 2}, {5, 0}}),
              ElementsAre("1-8^-1/2", "2-5^1/1", "6-7^1/0", "3-4^2/0", "9-10^-1/0"));
  EXPECT_THAT(Places({}), ElementsAre());
}

// Scenario: a span whose parent comes later, one whose parent is not there, two without ids.
// Guarantees: order does not matter to who is whose parent; orphans are roots; a zero id is nobody's parent.
TEST(SpanTree, TakesSpansAsTheyCome) {
  EXPECT_THAT(Places({{2, 1}, {1, 0}}), ElementsAre("2-3^1/0", "1-4^-1/1"));
  EXPECT_THAT(Places({{2, 7}, {3, 2}}), ElementsAre("1-4^-1/1!", "2-3^1/0"));
  EXPECT_THAT(Places({{0, 0}, {0, 0}, {1, 0}}), ElementsAre("1-2^-1/0", "3-4^-1/0", "5-6^-1/0"));
}

// Scenario: a span that is its own parent; a cycle of three that is met from outside; two cycles.
// Guarantees: each is cut at its least ordinal, which is a root and no orphan.
TEST(SpanTree, CutsCycles) {
  EXPECT_THAT(Places({{1, 1}, {2, 1}}), ElementsAre("1-4^-1/1", "2-3^1/0"));
  EXPECT_THAT(Places({{9, 3}, {1, 3}, {2, 1}, {3, 2}}), ElementsAre("4-5^3/0", "1-8^-1/1", "2-7^1/1", "3-6^2/1"));
  EXPECT_THAT(Places({{1, 2}, {2, 1}, {3, 4}, {4, 3}}), ElementsAre("1-4^-1/1", "2-3^1/0", "5-8^-1/1", "6-7^5/0"));
}

// Scenario: two spans share an id; one of them names that id as its parent.
// Guarantees: children go to the first of them; the second may be its child, the first not its own.
TEST(SpanTree, GivesChildrenToTheFirstOfAnId) {
  EXPECT_THAT(Places({{1, 0}, {1, 0}, {2, 1}}), ElementsAre("1-4^-1/1", "5-6^-1/0", "2-3^1/0"));
  EXPECT_THAT(Places({{1, 1}, {1, 1}}), ElementsAre("1-4^-1/1", "2-3^1/0"));
}

// The ancestors of a span, by walking up.
std::set<uint32_t> AncestorsOf(uint32_t ordinal, const std::vector<SpanPlace>& places) {
  std::set<uint32_t> ancestors;
  for (uint32_t at = places[ordinal].parent_ordinal; at != kNoOrdinal; at = places[at].parent_ordinal) {
    EXPECT_TRUE(ancestors.insert(at).second) << "a cycle is left";
  }
  return ancestors;
}

void ExpectPlacesToAgree(const std::vector<SpanLink>& links, const std::vector<SpanPlace>& places) {
  std::set<int32_t> numbers;
  for (uint32_t i = 0; i < places.size(); ++i) {
    ASSERT_EQ(places[i].ordinal, i);
    numbers.insert(places[i].left);
    numbers.insert(places[i].right);
    const std::set<uint32_t> ancestors = AncestorsOf(i, places);
    uint32_t children = 0;
    for (uint32_t j = 0; j < places.size(); ++j) {
      const bool is_ancestor = places[j].left < places[i].left && places[i].right < places[j].right;
      ASSERT_EQ(is_ancestor, ancestors.contains(j)) << i << " " << j;
      children += places[j].parent_ordinal == i ? 1 : 0;
    }
    ASSERT_EQ(places[i].child_count, children);
    const uint32_t parent = places[i].parent_ordinal;
    ASSERT_EQ(places[i].parent_left, parent == kNoOrdinal ? -1 : places[parent].left);
    if (parent != kNoOrdinal) {
      ASSERT_EQ(links[parent].id, links[i].parent_id);
    }
  }
  ASSERT_EQ(numbers.size(), 2 * places.size());
  if (!numbers.empty()) {
    ASSERT_EQ(*numbers.rbegin(), static_cast<int32_t>(2 * places.size()));
  }
}

// Scenario: random links over few ids, so that cycles, orphans and shared ids abound.
// Guarantees: "is an ancestor of" by the numbers is that of walking up; numbers are 1 to 2n, each once.
TEST(SpanTree, NumbersSayWhoIsAnAncestorProperty) {
  Rng rng(3);
  for (int round = 0; round < 500; ++round) {
    std::vector<std::pair<uint64_t, uint64_t>> numbers(rng.Below(20));
    for (auto& [id, parent] : numbers) {
      id = rng.Below(12);
      parent = rng.Below(14);
    }
    const std::vector<SpanLink> links = Links(numbers);
    ASSERT_NO_FATAL_FAILURE(ExpectPlacesToAgree(links, PlaceSpans(links))) << "round " << round;
  }
}

// Scenario: a chain of a million spans, in order and backwards; a million children of one span; a cycle as long.
// Guarantees: no recursion, no quadratic time: it ends, with the right numbers.
TEST(SpanTree, TakesAMillionSpans) {
  constexpr uint32_t kSpans = 1'000'000;
  std::vector<SpanLink> chain(kSpans);
  for (uint32_t i = 0; i < kSpans; ++i) chain[i] = {.id = MakeSpanId(i + 1), .parent_id = MakeSpanId(i)};
  std::vector<SpanPlace> places = PlaceSpans(chain);
  EXPECT_EQ(places.back().left, kSpans);
  EXPECT_EQ(places.back().right, kSpans + 1);

  std::vector<SpanLink> backwards(chain.rbegin(), chain.rend());
  EXPECT_EQ(PlaceSpans(backwards).front().left, kSpans);

  chain[0].parent_id = chain.back().id;
  EXPECT_EQ(PlaceSpans(chain).front().right, 2 * kSpans);

  for (uint32_t i = 1; i < kSpans; ++i) chain[i].parent_id = chain[0].id;
  chain[0].parent_id = {};
  places = PlaceSpans(chain);
  EXPECT_EQ(places.front().child_count, kSpans - 1);
  EXPECT_EQ(places.back().right, 2 * kSpans - 1);
}

}  // namespace
}  // namespace spanloom::store
