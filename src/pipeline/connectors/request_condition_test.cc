// SPDX-License-Identifier: Apache-2.0

#include "pipeline/connectors/request_condition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spanloom::pipeline {
namespace {

bool Matches(std::string_view condition, const otlp::RequestOrigin::Pairs& metadata) {
  const auto parsed = RequestCondition::Parse(condition);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  const otlp::RequestOrigin origin{.metadata = metadata};
  return parsed.ok() && parsed->Matches(&origin);
}

// Scenario: requests with the header, with another value, with several, without it.
// Guarantees: names are compared without case, values with; one value that fits is enough; without the header neither
// comparison holds.
TEST(RequestCondition, ComparesTheHeader) {
  const std::string is = R"(request["X-Tenant"] == "acme")";
  const std::string is_not = R"(request["X-Tenant"]!="acme")";
  EXPECT_TRUE(Matches(is, {{"a", "b"}, {"x-tenant", "acme"}}));
  EXPECT_FALSE(Matches(is_not, {{"x-tenant", "acme"}}));
  EXPECT_FALSE(Matches(is, {{"x-tenant", "Acme"}}));
  EXPECT_TRUE(Matches(is_not, {{"x-tenant", "Acme"}}));
  EXPECT_TRUE(Matches(is, {{"x-tenant", "ecorp"}, {"x-tenant", "acme"}}));
  EXPECT_TRUE(Matches(is_not, {{"x-tenant", "ecorp"}, {"x-tenant", "acme"}}));
  EXPECT_FALSE(Matches(is, {{"x-tenants", "acme"}}));
  EXPECT_FALSE(Matches(is_not, {{"x-tenants", "acme"}}));
  EXPECT_FALSE(RequestCondition::Parse(is)->Matches(nullptr));
}

// Scenario: other comparisons, several of them, no text, trailing words.
// Guarantees: refused, with the form that is taken.
TEST(RequestCondition, RefusesAnotherForm) {
  for (const char* text : {"", "true", R"(request["a"] > "b")", R"(request["a"] == b)", R"(request[0] == "b")",
                           R"(request["a"] == "b" or true)", R"(requests["a"] == "b")", R"(request["a"] == 0x01)"}) {
    const auto parsed = RequestCondition::Parse(text);
    EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(parsed.status().message()), testing::HasSubstr(R"(request["header"] == "value")"));
  }
}

}  // namespace
}  // namespace spanloom::pipeline
