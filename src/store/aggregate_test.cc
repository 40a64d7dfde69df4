// SPDX-License-Identifier: Apache-2.0

#include "store/aggregate.h"

#include <gtest/gtest.h>

#include <limits>

namespace spanloom::store {
namespace {

bool IsValid(const AggregatePlan& plan) {
  const Status status = plan.Validate();
  EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status)) << status;
  return status.ok();
}

// Scenario: plans that break each rule, and ones that just keep it.
// Guarantees: kInvalidArgument for the former.
TEST(AggregatePlan, IsValidated) {
  EXPECT_TRUE(IsValid({}));
  EXPECT_FALSE(IsValid({.step_ns = 10}));
  EXPECT_TRUE(IsValid({.starts = {0, 110'000}, .step_ns = 10}));
  EXPECT_FALSE(IsValid({.starts = {0, 110'001}, .step_ns = 10}));
  EXPECT_FALSE(IsValid({.wants_distribution = true}));
  EXPECT_TRUE(IsValid({.of = Field::Of(Intrinsic::kDuration), .wants_distribution = true}));
  EXPECT_FALSE(IsValid({.group_by = std::vector<Field>(6)}));
  EXPECT_FALSE(IsValid({.series_max = 0}));
  EXPECT_FALSE(IsValid({.where = Predicate(Condition{.field = Field::Of(Intrinsic::kName)})}));
}

// Scenario: ranges that steps divide, do not divide, and empty ones.
// Guarantees: the last step may be cut short; no range has no steps.
TEST(AggregatePlan, CountsSteps) {
  EXPECT_EQ((AggregatePlan{}).steps(), 1);
  EXPECT_EQ((AggregatePlan{.starts = {5, 25}, .step_ns = 10}).steps(), 2);
  EXPECT_EQ((AggregatePlan{.starts = {5, 26}, .step_ns = 10}).steps(), 3);
  EXPECT_EQ((AggregatePlan{.starts = {5, 5}, .step_ns = 10}).steps(), 0);
  EXPECT_EQ((AggregatePlan{.starts = {0, TimeRange::kForEver - 1}, .step_ns = TimeRange::kForEver}).steps(), 1);
}

// Scenario: values one after the other, and in two parts that are merged; NaN among them.
// Guarantees: the same; NaN is left out.
TEST(Aggregate, MergesToTheWhole) {
  Aggregate whole;
  Aggregate left;
  Aggregate right;
  for (const double value : {1.0, -2.5, std::numeric_limits<double>::quiet_NaN(), 7.0}) {
    whole.Add(value, true);
    (value > 0 ? left : right).Add(value, true);
  }
  left.Merge(right);
  EXPECT_EQ(left, whole);
  EXPECT_EQ(whole.values, 3);
  EXPECT_EQ(whole.sum, 5.5);
  EXPECT_EQ(whole.min, -2.5);
  EXPECT_EQ(whole.max, 7);
  EXPECT_EQ(whole.distribution.count(), 3);
}

}  // namespace
}  // namespace spanloom::store
