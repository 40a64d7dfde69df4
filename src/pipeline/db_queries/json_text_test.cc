// SPDX-License-Identifier: Apache-2.0

#include "pipeline/db_queries/json_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"

namespace spanloom::pipeline {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(MaskJsonValues, KeepsKeysAndShape) {
  EXPECT_EQ(MaskJsonValues(R"({"find": "users", "filter": {"age": {"$gt": 30}, "tags": ["a", null, true]}})"),
            R"({"find":"?","filter":{"age":{"$gt":"?"},"tags":["?","?","?"]}})");
  EXPECT_EQ(MaskJsonValues(R"({"query": {"match": {"title": "a \"quoted\" {text}"}}})"),
            R"({"query":{"match":{"title":"?"}}})");
  EXPECT_EQ(MaskJsonValues(R"({"a":{}, "b":[]})"), R"({"a":{},"b":[]})");
}

// Scenario: the lines of a bulk request; a query that was cut off; the shell's spelling.
// Guarantees: values are masked all the same.
TEST(MaskJsonValues, TakesWhatIsNotQuiteJson) {
  EXPECT_EQ(MaskJsonValues("{\"index\": {}}\n{\"user\": \"eve\"}\n"), "{\"index\":{}}\n{\"user\":\"?\"}");
  EXPECT_EQ(MaskJsonValues(R"({"name": "secr)"), R"({"name":"?")");
  EXPECT_EQ(MaskJsonValues(R"({"name)"), R"({"?")");
  EXPECT_EQ(MaskJsonValues("{name: 'it\\'s', _id: ObjectId('5f')}"), R"({name:"?",_id:"?"})");
}

TEST(LooksLikeJson, GoesByTheFirstSign) {
  EXPECT_TRUE(LooksLikeJson(" {\"a\": 1}"));
  EXPECT_TRUE(LooksLikeJson("[1"));
  EXPECT_FALSE(LooksLikeJson("/foo/{bar}"));
  EXPECT_FALSE(LooksLikeJson(" "));
}

// Scenario: random bytes of the kind that JSON has, with a secret among them that no colon follows.
// Guarantees: it is not shown; the result has its bound, and masking it again changes nothing.
TEST(MaskJsonValuesProperty, IsBoundedAndStable) {
  constexpr std::string_view kBytes = "{}[],\"'\\ \n1a";
  Rng random(5);
  for (int round = 0; round < 20000; ++round) {
    std::string text = "{";
    for (size_t size = random.Below(24); size > 0; --size) text += kBytes[random.Below(kBytes.size())];
    text += "zz";
    const std::string masked = MaskJsonValues(text);
    EXPECT_THAT(masked, Not(HasSubstr("zz"))) << text;
    EXPECT_LE(masked.size(), 3 * text.size()) << text;
    EXPECT_EQ(MaskJsonValues(masked), masked) << text;
  }
}

}  // namespace
}  // namespace spanloom::pipeline
