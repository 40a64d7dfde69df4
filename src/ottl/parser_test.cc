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
std::string Shape(const Operand& operand) {
  switch (operand.kind) {
    case Operand::Kind::kLiteral:
      if (const auto* number = std::get_if<int64_t>(&operand.literal)) return std::to_string(*number);
      return "l";
    case Operand::Kind::kPath:
      return PathText(operand);
    case Operand::Kind::kSymbol:
      return operand.name;
    default:
      break;
  }
  std::string shape = "(";
  shape += operand.kind == Operand::Kind::kArithmetic ? std::string(1, operand.op)
           : operand.kind == Operand::Kind::kNegation ? "neg"
           : operand.kind == Operand::Kind::kList     ? "list"
           : operand.kind == Operand::Kind::kMap      ? "map"
                                                      : operand.name;
  for (size_t i = 0; i < operand.operands.size(); ++i) {
    shape += " ";
    if (!operand.names.empty() && !operand.names[i].empty()) shape += operand.names[i] + "=";
    shape += Shape(operand.operands[i]);
  }
  shape += ")";
  for (const Operand& key : operand.keys) shape += "[" + Shape(key) + "]";
  return shape;
}

std::string Shape(const Expression& expression) {
  switch (expression.kind) {
    case Kind::kConstant:
      return expression.constant ? "t" : "f";
    case Kind::kComparison:
      return "c";
    case Kind::kCall:
      return Shape(expression.comparison.left);
    default:
      break;
  }
  std::string shape = expression.kind == Kind::kNot ? "(not" : expression.kind == Kind::kAnd ? "(and" : "(or";
  for (const Expression& operand : expression.operands) shape += " " + Shape(operand);
  return shape + ")";
}

std::string ValueShape(std::string_view text) {
  const auto value = ParseValue(text);
  EXPECT_TRUE(value.ok()) << text << ": " << value.status();
  return value.ok() ? Shape(*value) : "";
}

std::string StatementRefusal(std::string_view text) {
  const auto statement = ParseStatement(text);
  EXPECT_EQ(statement.status().code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(statement.status().message());
}

TEST(Parser, BindsNotBeforeAndBeforeOr) {
  EXPECT_EQ(Shape(Parsed("true or false and false")), "(or t (and f f))");
  EXPECT_EQ(Shape(Parsed("not true and false or true")), "(or (and (not t) f) t)");
  EXPECT_EQ(Shape(Parsed("not (true or false)")), "(not (or t f))");
  EXPECT_EQ(Shape(Parsed("true and true and false")), "(and t t f)");
}

TEST(Parser, BindsProductsBeforeSums) {
  EXPECT_EQ(ValueShape("1 + 2 * 3 - 4"), "(- (+ 1 (* 2 3)) 4)");
  EXPECT_EQ(ValueShape("(1 + 2) * -3"), "(* (+ 1 2) -3)");
  EXPECT_EQ(ValueShape("-(1 + a.b)"), "(neg (+ 1 a.b))");
  EXPECT_EQ(ValueShape("3-1"), "(- 3 1)");
  EXPECT_EQ(ValueShape("-9223372036854775808"), "-9223372036854775808");
}

// Scenario: parentheses in front of an operator, and in front of none.
// Guarantees: they hold a part of a sum, or a condition.
TEST(Parser, TellsWhatParenthesesHold) {
  EXPECT_EQ(Shape(Parsed("(1 + 2) * 3 == 9")), "c");
  EXPECT_EQ(Shape(Parsed("(1 == 1) and ((2)) == 2")), "(and c c)");
  EXPECT_EQ(Shape(Parsed("((name == \"a\"))")), "c");
}

TEST(Parser, ReadsPathsWithKeys) {
  const Expression expression = Parsed(R"(resource.attributes["service.name"][0][name] != -1.5)");
  ASSERT_EQ(expression.kind, Kind::kComparison);
  EXPECT_EQ(expression.comparison.op, ComparisonOperator::kNotEqual);
  const Operand& path = expression.comparison.left;
  ASSERT_EQ(path.segments.size(), 2u);
  EXPECT_EQ(path.segments[0].name, "resource");
  ASSERT_EQ(path.segments[1].keys.size(), 3u);
  EXPECT_EQ(path.segments[1].keys[0].literal, Literal("service.name"));
  EXPECT_EQ(path.segments[1].keys[1].literal, Literal(int64_t{0}));
  EXPECT_EQ(Shape(path.segments[1].keys[2]), "name");
  EXPECT_EQ(expression.comparison.right.literal, Literal(-1.5));
}

TEST(Parser, ReadsCallsListsAndMaps) {
  EXPECT_EQ(ValueShape("F()"), "(F)");
  EXPECT_EQ(ValueShape("F(1, b=G(2)[\"k\"][0], c=SHA256)[3]"), "(F 1 b=(G 2)[l][0] c=SHA256)[3]");
  EXPECT_EQ(ValueShape("[1, [], {\"a\": 1, \"b\": [2]}]"), "(list 1 (list) (map a=1 b=(list 2)))");
  EXPECT_EQ(Shape(Parsed("not IsMatch(name, \"a\")")), "(not (IsMatch name l))");
}

TEST(Parser, TakesTrueAndFalseAsValuesToo) {
  EXPECT_EQ(Shape(Parsed("true == attributes[\"b\"]")), "c");
  EXPECT_EQ(Shape(Parsed("attributes[\"b\"] != false")), "c");
}

TEST(Parser, ReadsStatements) {
  const auto statement = ParseStatement("set(name, \"x\") where true or false");
  ASSERT_TRUE(statement.ok()) << statement.status();
  EXPECT_EQ(Shape(statement->call), "(set name l)");
  EXPECT_EQ(Shape(statement->where), "(or t f)");
  EXPECT_EQ(Shape(ParseStatement("set(name, 1)")->where), "t");
}

TEST(Parser, NamesThePlaceAndWhatWasExpected) {
  EXPECT_THAT(Refusal("not attributes[\"b\"]"),
              HasSubstr("1:20: unexpected token \"<EOF>\" (expected <opcomparison> Value)"));
  EXPECT_THAT(Refusal(""), HasSubstr("1:1: unexpected token \"<EOF>\""));
  EXPECT_THAT(Refusal("true)"), HasSubstr("1:5: unexpected token \")\""));
  EXPECT_THAT(Refusal("true or"), HasSubstr("1:8"));
  EXPECT_THAT(Refusal("not not true"), HasSubstr("1:5: unexpected token \"not\""));
  EXPECT_THAT(Refusal("attributes[\"a\" == 1"), HasSubstr("expected \"]\""));
  EXPECT_THAT(Refusal("resource.[\"a\"] == 1"), HasSubstr("(expected Field)"));
  EXPECT_THAT(Refusal("name == 9223372036854775808"), HasSubstr("1:9: number out of range"));
  EXPECT_THAT(Refusal("name == \"a\" + \"b\""), HasSubstr("unexpected token \"+\""));
  EXPECT_THAT(Refusal("set(name) == 1"),
              HasSubstr("converter names must start with an uppercase letter but got 'set'"));
  EXPECT_THAT(StatementRefusal("Set(name)"),
              HasSubstr("editor names must start with a lowercase letter but got 'Set'"));
  EXPECT_THAT(StatementRefusal("set(name)[0]"), HasSubstr("only paths and converters may be indexed"));
  EXPECT_THAT(StatementRefusal("set(name) when true"), HasSubstr("statement has invalid syntax: 1:11"));
}

TEST(Parser, BoundsTextAndDepth) {
  const auto nested = [](int depth) { return std::string(depth, '(') + "true" + std::string(depth, ')'); };
  EXPECT_EQ(Shape(Parsed(nested(kExpressionDepthMax - 1))), "t");
  EXPECT_THAT(Refusal(nested(kExpressionDepthMax + 1)), HasSubstr("nest more than 64 deep"));
  EXPECT_THAT(Refusal(std::string(1000, '[')), HasSubstr("nest more than 64 deep"));
  EXPECT_THAT(Refusal("true" + std::string(kTextBytesMax, ' ')), HasSubstr("at most 16384 are allowed"));
  std::string sum = "1";
  for (int i = 0; i < 1000; ++i) sum += "+1";
  EXPECT_THAT(Refusal(sum + " == 1"), HasSubstr("more than 256 operators"));
}

}  // namespace
}  // namespace spanloom::ottl
