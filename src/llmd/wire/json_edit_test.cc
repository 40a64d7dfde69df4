// SPDX-License-Identifier: Apache-2.0

#include "llmd/wire/json_edit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace spanloom::llmd::wire {
namespace {

JsonObject Parsed(std::string_view text) {
  StatusOr<JsonObject> object = JsonObject::Parse(text);
  EXPECT_TRUE(object.ok()) << text << ": " << object.status();
  return object.ok() ? *std::move(object) : JsonObject();
}

constexpr std::string_view kRequest =
    "{\"model\": \"llama\",\n  \"messages\":[{\"role\":\"user\",\"content\":\"\\u00e4 \\\"}\\\", ü\"}], "
    "\"seed\":12345678901234567890123,\"temperature\":1.0e0 , \"stream\":true}\n";

// Scenario: nothing is changed in a request with odd numbers, escapes and white space.
// Guarantees: it comes out as it went in, byte for byte.
TEST(JsonObject, IsItselfWithoutEdits) {
  EXPECT_EQ(Parsed(kRequest).Text(), kRequest);
  for (const char* text : {"{}", " { } ", "{\"a\":{}}", "{\"a\" : [ ] , \"b\":[[],{},[1,{\"c\":null}]]}"}) {
    EXPECT_EQ(Parsed(text).Text(), text);
  }
}

// Scenario: limits are set, hints are added and options taken away, as for a prefill leg.
// Guarantees: what was not named stays byte for byte; what is set stands where it stood.
TEST(JsonObject, ChangesOnlyWhatIsNamed) {
  JsonObject object = Parsed("{\"a\": 1 , \"stream\" : true, \"stream_options\":{\"x\":[1]},\"b\":1.50}");
  object.Set("stream", "false");
  object.Remove("stream_options");
  object.Set("max_tokens", "1");
  EXPECT_EQ(object.Text(), "{\"a\": 1 , \"stream\" : false,\"b\":1.50,\"max_tokens\":1}");
}

TEST(JsonObject, ForgetsTheFirstOrTheOnlyMember) {
  JsonObject first = Parsed("{\"a\":1, \"b\":2}");
  first.Remove("a");
  EXPECT_EQ(first.Text(), "{ \"b\":2}");
  JsonObject only = Parsed("{\"a\":1}");
  only.Remove("a");
  EXPECT_EQ(only.Text(), "{}");
  only.Set("a", "[2]");
  EXPECT_EQ(only.Text(), "{\"a\":[2]}");
}

TEST(JsonObject, AddsToAnEmptyOne) {
  JsonObject object = Parsed(" { }\n");
  object.Set("k\"", "0");
  EXPECT_EQ(object.Text(), " { \"k\\\"\":0}\n");
}

// Scenario: a key comes twice, once with an escape in it, so that a reader who takes the last one, or who does not undo
// escapes, would see another value than the one that was set.
// Guarantees: Find sees the last one, Set and Remove leave none of the others.
TEST(JsonObject, KnowsAKeyThatComesTwiceOrIsEscaped) {
  constexpr std::string_view kTwice = "{\"max_tokens\":5,\"x\":0,\"max_t\\u006fkens\":7}";
  JsonObject object = Parsed(kTwice);
  EXPECT_EQ(object.Find("max_tokens"), "7");
  object.Set("max_tokens", "1");
  EXPECT_EQ(object.Text(), "{\"x\":0,\"max_t\\u006fkens\":1}");
  object.Remove("max_tokens");
  EXPECT_EQ(object.Text(), "{\"x\":0}");
}

TEST(JsonObject, ShowsValuesAsTheyAreWritten) {
  const JsonObject object = Parsed("{\"a\": {\"b\" : 1} ,\"s\":\"plain\",\"e\":\"\\n\",\"t\":true,\"n\":null}");
  EXPECT_EQ(object.Find("a"), "{\"b\" : 1}");
  EXPECT_EQ(object.Find("b"), std::nullopt);
  EXPECT_EQ(object.FindPlainString("s"), "plain");
  EXPECT_EQ(object.FindPlainString("e"), std::nullopt);
  EXPECT_EQ(object.FindPlainString("t"), std::nullopt);
  EXPECT_TRUE(object.IsTrue("t"));
  EXPECT_FALSE(object.IsTrue("n"));
}

TEST(JsonObject, SaysItsKeysAndTheFirstOfAList) {
  JsonObject object = Parsed("{\"a\":1,\"b\":[ {\"x\":[]} ,2],\"c\":[]}");
  object.Remove("a");
  object.Set("d", "0");
  EXPECT_THAT(object.Keys(), testing::ElementsAre("b", "c", "d"));
  EXPECT_EQ(FirstElement(*object.Find("b")), "{\"x\":[]}");
  EXPECT_EQ(FirstElement(*object.Find("c")), std::nullopt);
  EXPECT_EQ(FirstElement(*object.Find("d")), std::nullopt);
  EXPECT_TRUE(HasSeveralElements(*object.Find("b")));
  for (const char* single : {"[]", "[1]", " [ [1,2] ]", "{}", "1", "\"[1,2]\"", ""})
    EXPECT_FALSE(HasSeveralElements(single)) << single;
}

TEST(JsonObject, RefusesWhatIsNoObject) {
  for (const char* bad : {"",
                          " ",
                          "[]",
                          "1",
                          "null",
                          "{",
                          "{\"a\"}",
                          "{\"a\":}",
                          "{\"a\":1,}",
                          "{,}",
                          "{\"a\":1}{}",
                          "{\"a\":1} x",
                          "{a:1}",
                          "{'a':1}",
                          "{\"a\":01}",
                          "{\"a\":1.}",
                          "{\"a\":.5}",
                          "{\"a\":+1}",
                          "{\"a\":1e}",
                          "{\"a\":tru}",
                          "{\"a\":NaN}",
                          "{\"a\":\"\\x\"}",
                          "{\"a\":\"\\u12g4\"}",
                          "{\"a\":\"\n\"}",
                          "{\"a\":\"",
                          "{\"a\":\"\\",
                          "{\"a\":[1,]}",
                          "{\"a\":[}",
                          "{\"a\":{\"b\":1]}",
                          "{\"a\":[1 2]}",
                          "{\"a\" 1}",
                          "{\"a\":\"\xff\"}",
                          "{\"a\":\"\xc3\"}"}) {
    EXPECT_EQ(JsonObject::Parse(bad).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
}

TEST(JsonObject, FindsTheEndOfLongStrings) {
  for (size_t bytes = 0; bytes < 40; ++bytes) {
    const std::string text =
        StrCat("{\"", std::string(bytes, 'k'), "\":\"", std::string(bytes, 'v'), "\\\\\",\"z\":0}");
    JsonObject object = Parsed(text);
    EXPECT_EQ(object.Find("z"), "0") << text;
    EXPECT_EQ(object.Text(), text);
    EXPECT_FALSE(JsonObject::Parse(StrCat("{\"", std::string(bytes, 'v'), "\x01\":0}")).ok());
  }
}

TEST(JsonObject, HasLimits) {
  const auto nested = [](size_t depth) {
    return StrCat("{\"a\":", std::string(depth, '['), std::string(depth, ']'), "}");
  };
  EXPECT_TRUE(JsonObject::Parse(nested(kJsonDepthMax)).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(JsonObject::Parse(nested(kJsonDepthMax + 1)).status()));
  std::string many = "{\"a\":0";
  for (size_t i = 1; i < kJsonMembersMax; ++i) many.append(",\"a\":0");
  EXPECT_TRUE(JsonObject::Parse(many + "}").ok());
  EXPECT_TRUE(absl::IsResourceExhausted(JsonObject::Parse(many + ",\"a\":0}").status()));
}

}  // namespace
}  // namespace spanloom::llmd::wire
