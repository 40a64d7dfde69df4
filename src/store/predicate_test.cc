// SPDX-License-Identifier: Apache-2.0

#include "store/predicate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spanloom::store {
namespace {

using testing::HasSubstr;

Condition ConditionOf(Comparison comparison, Value operand) {
  return {.field = Field::Attribute(AttributeScope::kSpan, "a"), .comparison = comparison, .operand = operand};
}

bool IsValid(Comparison comparison, Value operand) {
  const Status status = ConditionOf(comparison, std::move(operand)).Validate();
  EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status)) << status;
  return status.ok();
}

// Scenario: operands of the right and of wrong kinds for each comparison.
// Guarantees: wrong ones are refused.
TEST(Predicate, RefusesOperandsThatTheComparisonCannotTake) {
  for (const Value& operand : {Value::Int(1), Value::Double(1), Value::String("a"), Value::Bytes("a")}) {
    EXPECT_TRUE(IsValid(Comparison::kEqual, operand));
    EXPECT_TRUE(IsValid(Comparison::kLess, operand));
    EXPECT_FALSE(IsValid(Comparison::kExists, operand));
  }
  EXPECT_TRUE(IsValid(Comparison::kNotEqual, Value::Bool(true)));
  EXPECT_FALSE(IsValid(Comparison::kGreaterOrEqual, Value::Bool(true)));
  EXPECT_FALSE(IsValid(Comparison::kEqual, Value()));
  EXPECT_FALSE(IsValid(Comparison::kEqual, Value(Cell::String("[]", ValueKind::kText))));
  EXPECT_TRUE(IsValid(Comparison::kHasText, Value::String("1")));
  EXPECT_FALSE(IsValid(Comparison::kHasText, Value::Int(1)));
  EXPECT_FALSE(IsValid(Comparison::kMatches, Value::Int(1)));
  EXPECT_TRUE(IsValid(Comparison::kIsAbsent, Value()));
}

// Scenario: a regular expression that is none, deep within a tree.
// Guarantees: refused, and the message names the condition.
TEST(Predicate, NamesTheConditionThatIsWrong) {
  const Predicate predicate = Predicate::All(
      {Predicate(ConditionOf(Comparison::kExists, Value())),
       Predicate::Not(Predicate::Any({Predicate(ConditionOf(Comparison::kMatches, Value::String("a("))),
                                      Predicate(ConditionOf(Comparison::kMatches, Value::String("a.*")))}))});
  const Status status = predicate.Validate();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("span.a =~ \"a(\""));
}

// Scenario: as many conditions, and as deep a tree, as is allowed, and one more.
// Guarantees: the limits are where the header says.
TEST(Predicate, IsBounded) {
  const Predicate one(ConditionOf(Comparison::kExists, Value()));
  EXPECT_TRUE(Predicate::All(std::vector<Predicate>(Predicate::kConditionsMax, one)).Validate().ok());
  EXPECT_FALSE(Predicate::All(std::vector<Predicate>(Predicate::kConditionsMax + 1, one)).Validate().ok());
  EXPECT_FALSE(Predicate::All(std::vector<Predicate>(10'000, Predicate::Any({}))).Validate().ok());
  Predicate deep = one;
  for (size_t i = 1; i < Predicate::kDepthMax; ++i) deep = Predicate::Not(deep);
  EXPECT_TRUE(deep.Validate().ok());
  EXPECT_FALSE(Predicate::Not(deep).Validate().ok());
}

TEST(Predicate, SaysWhatItIs) {
  EXPECT_EQ(Predicate().ToString(), "everything");
  const Predicate a(Condition{.field = Field::Of(Intrinsic::kDuration), .operand = Value::Int(5)});
  EXPECT_EQ(Predicate::All({a, Predicate::Not(a)}).ToString(), "(duration = \"5\" and not duration = \"5\")");
}

}  // namespace
}  // namespace spanloom::store
