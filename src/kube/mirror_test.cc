// SPDX-License-Identifier: Apache-2.0

#include "kube/mirror.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/text.h"
#include "kube/json.h"

namespace spanloom::kube {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;
using Change = ReflectorSink::Change;

class MirrorTest : public testing::Test {
 protected:
  // Objects are {"k": key, "v": value}.
  void AddListed(const std::string& list) {
    simdjson::dom::array array;
    ASSERT_EQ(reader_.Read(list)->get(array), simdjson::SUCCESS);
    const std::vector<simdjson::dom::element> objects(array.begin(), array.end());
    mirror_.AddListed(objects);
  }
  void Apply(Change change, const std::string& object) { mirror_.Apply(change, *reader_.Read(object)); }
  std::vector<std::string> TakeDifferences() { return std::exchange(differences_, {}); }

  JsonReader reader_;
  std::vector<std::string> differences_;  // "BEFORE>AFTER"
  Mirror<std::string> mirror_{
      [](const simdjson::dom::element& object) -> std::optional<Mirror<std::string>::Decoded> {
        if (TextAt(object, "k").empty()) return std::nullopt;
        return Mirror<std::string>::Decoded{std::string(TextAt(object, "k")), std::string(TextAt(object, "v"))};
      },
      [this](std::span<const Mirror<std::string>::Difference> differences) {
        for (const auto& [before, after] : differences) {
          differences_.push_back(StrCat(before ? *before : "", ">", after ? *after : ""));
        }
      }};
};

TEST_F(MirrorTest, ShowsWhatIsListed) {
  mirror_.BeginList();
  AddListed(R"([{"k": "a", "v": "1"}, {"v": "no key"}])");
  AddListed(R"([{"k": "b", "v": "2"}])");
  mirror_.EndList();
  EXPECT_EQ(mirror_.size(), 2u);
  EXPECT_EQ(*mirror_.Find("a"), "1");
  EXPECT_EQ(mirror_.Find("c"), nullptr);
  EXPECT_THAT(TakeDifferences(), ElementsAre(">1", ">2"));
}

// Scenario: a second list has one object as it was, one changed, one new, and one is missing.
// Guarantees: it is told of all but the first.
TEST_F(MirrorTest, ListingAgainShowsTheDifferences) {
  mirror_.BeginList();
  AddListed(R"([{"k": "a", "v": "1"}, {"k": "b", "v": "2"}, {"k": "c", "v": "3"}])");
  mirror_.EndList();
  TakeDifferences();
  mirror_.BeginList();
  AddListed(R"([{"k": "a", "v": "1"}, {"k": "b", "v": "9"}, {"k": "d", "v": "4"}])");
  EXPECT_EQ(*mirror_.Find("c"), "3");  // until the list is complete
  mirror_.EndList();
  EXPECT_THAT(TakeDifferences(), UnorderedElementsAre("2>9", ">4", "3>"));
  EXPECT_EQ(mirror_.Find("c"), nullptr);
}

// Scenario: a list is broken off and begun again.
// Guarantees: what the first one showed counts for nothing.
TEST_F(MirrorTest, AListMayBeBegunAgain) {
  mirror_.BeginList();
  AddListed(R"([{"k": "a", "v": "1"}, {"k": "b", "v": "2"}])");
  mirror_.BeginList();
  AddListed(R"([{"k": "b", "v": "2"}])");
  mirror_.EndList();
  EXPECT_EQ(mirror_.Find("a"), nullptr);
  EXPECT_EQ(mirror_.size(), 1u);
}

TEST_F(MirrorTest, FollowsChanges) {
  Apply(Change::kAdded, R"({"k": "a", "v": "1"})");
  Apply(Change::kModified, R"({"k": "a", "v": "2"})");
  Apply(Change::kModified, R"({"k": "a", "v": "2"})");
  EXPECT_EQ(*mirror_.Find("a"), "2");
  Apply(Change::kDeleted, R"({"k": "a", "v": "2"})");
  Apply(Change::kDeleted, R"({"k": "never", "v": "2"})");
  EXPECT_EQ(mirror_.size(), 0u);
  EXPECT_THAT(TakeDifferences(), ElementsAre(">1", "1>2", "2>2", "2>"));
}

// Scenario: one thread changes a map while another looks things up.
// Guarantees: whoever looks finds what was there before or after, never anything else.
TEST(SharedMap, IsReadWhileItChanges) {
  SharedMap<std::shared_ptr<const int>> map;
  const auto put = [&map](int value) {
    std::vector<SharedMap<std::shared_ptr<const int>>::Edit> edits;
    for (int key = 0; key < 100; ++key) edits.emplace_back(StrCat(key), std::make_shared<const int>(value));
    map.Apply(std::move(edits));
  };
  put(0);
  std::thread reader([&map] {
    for (int i = 0, last = 0; i < 10'000; ++i) {
      const auto found = map.Find("7");
      ASSERT_TRUE(found.has_value());
      ASSERT_GE(**found, last);
      last = **found;
    }
  });
  for (int value = 1; value < 200; ++value) put(value);
  reader.join();
  EXPECT_EQ(map.size(), 100u);
  map.Apply({{"7", std::nullopt}, {"7", std::nullopt}, {"8", std::make_shared<const int>(1)}});
  EXPECT_EQ(map.size(), 99u);
  EXPECT_EQ(map.Find("7"), std::nullopt);
}

}  // namespace
}  // namespace spanloom::kube
