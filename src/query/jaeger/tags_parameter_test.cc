// SPDX-License-Identifier: Apache-2.0

#include "query/jaeger/tags_parameter.h"

#include <gtest/gtest.h>

#include <map>

namespace spanloom::query::jaeger {
namespace {

std::map<std::string, std::string> Parse(std::string_view json) {
  const auto conditions = ParseTags(json);
  EXPECT_TRUE(conditions.ok()) << conditions.status();
  std::map<std::string, std::string> parsed;
  for (const auto& condition : *conditions) parsed[condition.field.key] = condition.operand.ToText();
  return parsed;
}

// Scenario: an object of strings with escapes; numbers and bools, which some clients send.
// Guarantees: the text of each.
TEST(TagsParameter, ReadsAnObject) {
  EXPECT_EQ(Parse(R"({"http.status_code":"500","q\"k":"\u00e4"})"),
            (std::map<std::string, std::string>{{"http.status_code", "500"}, {"q\"k", "ä"}}));
  EXPECT_EQ(Parse(R"({"error":true,"n":12})"), (std::map<std::string, std::string>{{"error", "true"}, {"n", "12"}}));
  EXPECT_TRUE(Parse("{}").empty());
}

// Scenario: no JSON, no object, a nested value, invalid UTF-8, deep nesting.
// Guarantees: kInvalidArgument, nothing thrown.
TEST(TagsParameter, RefusesAnythingElse) {
  for (const std::string& json :
       {std::string("error=true"), std::string("[]"), std::string(R"({"a":{}})"), std::string(R"({"a":null})"),
        std::string("{\"a\":\"\xff\"}"), std::string(), std::string(60'000, '[')}) {
    EXPECT_EQ(ParseTags(json).status().code(), absl::StatusCode::kInvalidArgument) << json.substr(0, 20);
  }
}

}  // namespace
}  // namespace spanloom::query::jaeger
