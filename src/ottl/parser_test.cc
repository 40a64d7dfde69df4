// SPDX-License-Identifier: Apache-2.0

#include "ottl/parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace spanloom::ottl {
namespace {

using testing::HasSubstr;
using Kind = Expression::Kind;

Expression Parsed(std::string_view text) {
  auto expression = ParseCondition(text);
  EXPECT_TRUE(expression.ok()) << text << ": " << expression.status();
  return expression.ok() ? *expression : Expression();
}

std::string Refusal(std::string_view text) {
  const auto expression = ParseCondition(text);
  EXPECT_EQ(expression.status().code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(expression.status().message());
}

// The tree in prefix form: (or t (and t f)).
std::string Shape(const Expression& expression) {
  switch (expression.kind) {
    case Kind::kConstant:
      return expression.constant ? "t" : "f";
    case Kind::kComparison:
      return "c";
    default:
      break;
  }
  std::string shape = expression.kind == Kind::kNot ? "(not" : expression.kind == Kind::kAnd ? "(and" : "(or";
  for (const Expression& operand : expression.operands) shape += " " + Shape(operand);
  return shape + ")";
}

TEST(Parser, BindsNotBeforeAndBeforeOr) {
  EXPECT_EQ(Shape(Parsed("true or false and false")), "(or t (and f f))");
  EXPECT_EQ(Shape(Parsed("true and not false or true")), "(or (and t (not f)) t)");
  EXPECT_EQ(Shape(Parsed("(true or false) and false")), "(and (or t f) f)");
  EXPECT_EQ(Shape(Parsed("not name == \"x\" and true")), "(and (not c) t)");
  EXPECT_EQ(Shape(Parsed("not (true or ((false)))")), "(not (or t f))");
  EXPECT_EQ(Shape(Parsed("true or false or true")), "(or t f t)");
}

TEST(Parser, ReadsPathsWithKeys) {
  const Expression expression = Parsed(R"(resource.attributes["service.name"][0] != -1.5)");
  ASSERT_EQ(expression.kind, Kind::kComparison);
  EXPECT_EQ(expression.comparison.op, ComparisonOperator::kNotEqual);
  const auto& path = std::get<Path>(expression.comparison.left);
  ASSERT_EQ(path.segments.size(), 2u);
  EXPECT_EQ(path.segments[0].name, "resource");
  ASSERT_EQ(path.segments[1].keys.size(), 2u);
  EXPECT_EQ(std::get<std::string>(path.segments[1].keys[0]), "service.name");
  EXPECT_EQ(std::get<int64_t>(path.segments[1].keys[1]), 0);
  EXPECT_EQ(std::get<Literal>(expression.comparison.right), Literal(-1.5));
}

TEST(Parser, TakesTrueAndFalseAsValuesToo) {
  EXPECT_EQ(Shape(Parsed("true == attributes[\"b\"]")), "c");
  EXPECT_EQ(Shape(Parsed("attributes[\"b\"] != false")), "c");
}

TEST(Parser, NamesThePlaceAndWhatWasExpected) {
  EXPECT_THAT(Refusal("not attributes[\"b\"]"),
              HasSubstr("1:20: unexpected token \"<EOF>\" (expected <opcomparison> Value)"));
  EXPECT_THAT(Refusal("name === \"GET\""), HasSubstr("1:8: unexpected token \"=\""));
  EXPECT_THAT(Refusal("name"), HasSubstr("1:5: unexpected token \"<EOF>\" (expected <opcomparison> Value)"));
  EXPECT_THAT(Refusal("(name == \"GET\""), HasSubstr("1:15: unexpected token \"<EOF>\" (expected \")\")"));
  EXPECT_THAT(Refusal("AND true"), HasSubstr("1:5: unexpected token \"true\" (expected <opcomparison> Value)"));
  EXPECT_THAT(Refusal("NOT true"), HasSubstr("1:5: unexpected token \"true\""));
  EXPECT_THAT(Refusal("attributes[\"i\"] == 5 == true"), HasSubstr("1:22: unexpected token \"==\""));
  EXPECT_THAT(Refusal(""), HasSubstr("1:1: unexpected token \"<EOF>\""));
  EXPECT_THAT(Refusal("true)"), HasSubstr("1:5: unexpected token \")\""));
  EXPECT_THAT(Refusal("true or"), HasSubstr("1:8"));
  EXPECT_THAT(Refusal("not not true"), HasSubstr("1:5: unexpected token \"not\""));
  EXPECT_THAT(Refusal("attributes[name] == 1"), HasSubstr("expected a string or an integer"));
  EXPECT_THAT(Refusal("attributes[\"a\" == 1"), HasSubstr("expected \"]\""));
  EXPECT_THAT(Refusal("resource.[\"a\"] == 1"), HasSubstr("expected the name of a field"));
}

TEST(Parser, RefusesTheRestOfTheLanguageByName) {
  EXPECT_THAT(Refusal("attributes[\"i\"] > 1"), HasSubstr("operator \">\" is not supported"));
  EXPECT_THAT(Refusal("1 + 2 == 3"), HasSubstr("operator \"+\" is not supported"));
  EXPECT_THAT(Refusal("IsRootSpan()"), HasSubstr("undefined function \"IsRootSpan\""));
  EXPECT_THAT(Refusal("name == [\"a\"]"), HasSubstr("unexpected token \"[\""));
}

TEST(Parser, BoundsTextAndDepth) {
  const auto nested = [](int depth) { return std::string(depth, '(') + "true" + std::string(depth, ')'); };
  EXPECT_EQ(Shape(Parsed(nested(kExpressionDepthMax))), "t");
  EXPECT_THAT(Refusal(nested(kExpressionDepthMax + 1)), HasSubstr("nest more than 64 deep"));
  EXPECT_THAT(Refusal("true" + std::string(kConditionBytesMax, ' ')), HasSubstr("at most 16384 are allowed"));
}

}  // namespace
}  // namespace spanloom::ottl
