// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/tool_call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace spanloom::llmd::simulator {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

std::string Made(const ToolOptions& options, std::string_view schema, uint64_t seed = 1) {
  Rng rng(seed);
  return MakeUpArguments(options, schema, rng);
}

// Guarantees: every argument has the type that its schema asks for, within the flags' bounds, or the schema's own.
TEST(ToolCall, FitsTheSchema) {
  const ToolOptions options{.integer_min = 7, .integer_max = 7, .list_min = 2, .list_max = 2};
  EXPECT_EQ(Made(options, R"({"properties": {"i": {"type": "integer"}, "e": {"enum": ["x"]}, "z": {"type": "null"},
                             "l": {"type": "array", "items": {"type": "integer", "minimum": 9, "maximum": 9}},
                             "o": {"type": ["null", "object"], "properties": {"k": {"const": 1}}, "required": ["k"]}},
                             "required": ["i", "e", "z", "l", "o"]})"),
            R"({"i":7,"e":"x","z":null,"l":[9,9],"o":{"k":1}})");
  EXPECT_EQ(Made(options, ""), "{}");
  EXPECT_EQ(Made(options, "no schema"), "{}");
  EXPECT_EQ(Made(options, R"({"properties": {"i": {"type": "integer", "minimum": 50}}, "required": ["i"]})"),
            R"({"i":50})");
}

// Guarantees: what need not be given is given as often as the flags say, at the top and below it.
TEST(ToolCall, GivesWhatNeedNotBe) {
  constexpr std::string_view kSchema =
      R"({"properties": {"a": {"type": "object", "properties": {"b": {"type": "boolean"}}}}})";
  EXPECT_EQ(Made({.optional_percent = 0}, kSchema), "{}");
  EXPECT_EQ(Made({.optional_percent = 100, .optional_field_percent = 0}, kSchema), R"({"a":{}})");
  EXPECT_THAT(Made({.optional_percent = 100, .optional_field_percent = 100}, kSchema), HasSubstr(R"({"a":{"b":)"));
}

// Scenario: a schema of lists in lists, each of a thousand items.
// Guarantees: what is made is bounded.
TEST(ToolCall, IsBounded) {
  std::string schema = R"({"type": "integer"})";
  for (int i = 0; i < 6; ++i) schema = R"({"type": "array", "minItems": 1000, "items": )" + schema + "}";
  EXPECT_LT(Made({}, R"({"properties": {"l": )" + schema + R"(}, "required": ["l"]})").size(), 200'000);
}

// Guarantees: no tool is called twice; at least as many as have to be, and by chance up to all.
TEST(ToolCall, CallsAsManyAsItShould) {
  const std::vector<wire::ToolFunction> tools = {{.name = "a"}, {.name = "b"}, {.name = "c"}};
  const auto calls = [&](int64_t percent, size_t least, size_t most) {
    return MakeUpCalls({.extra_call_percent = percent}, tools, least, most, Rng(1));
  };
  EXPECT_THAT(calls(0, 0, 3), SizeIs(0));
  EXPECT_THAT(calls(0, 1, 3), SizeIs(1));
  EXPECT_THAT(calls(100, 1, 1), SizeIs(1));
  std::set<std::string> names;
  for (const wire::ToolCall& call : calls(100, 1, 9)) names.insert(call.name);
  EXPECT_THAT(names, SizeIs(3));
}

}  // namespace
}  // namespace spanloom::llmd::simulator
