// SPDX-License-Identifier: Apache-2.0

#include "cli/store/purge_selection.h"

#include <gtest/gtest.h>

#include <string>

namespace spanloom::cli::store {
namespace {

otlp::TraceId Id(uint8_t last) {
  otlp::TraceId id;
  id.bytes[15] = last;
  return id;
}

TEST(PurgeSelectionTest, IsTheSameAfterATripThroughAQuery) {
  const PurgeSelection all[] = {{},
                                {.traces = {Id(1), Id(255)}},
                                {.starts = {.begin_unix_ns = 5, .end_unix_ns = 1'700'000'000'000'000'000}},
                                {.service = "a b&c=d%e+f/\xc3\xa4"},
                                {.traces = {Id(3)}, .starts = {.begin_unix_ns = 7}, .service = ""}};
  for (const PurgeSelection& selection : all) {
    const auto read = PurgeSelection::FromQuery(selection.ToQuery());
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(*read, selection) << selection.ToQuery();
    EXPECT_EQ(selection.IsEverything(), selection == PurgeSelection());
  }
}

// Scenario: a server that is older than who asks it, or is asked for nonsense.
// Guarantees: it refuses, since what it does not understand may have narrowed down what goes.
TEST(PurgeSelectionTest, RefusesWhatItDoesNotUnderstand) {
  for (const std::string query : {"operation=x", "trace=xyz", "from_unix_ns=soon", "until_unix_ns=-1"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(PurgeSelection::FromQuery(query).status())) << query;
  }
}

TEST(PurgeSelectionTest, BecomesAPlan) {
  const auto plan = PurgeSelection{.traces = {Id(1)}, .starts = {.begin_unix_ns = 5}, .service = "shop"}.Plan();
  EXPECT_EQ(plan.traces.size(), 1U);
  EXPECT_EQ(plan.starts.begin_unix_ns, 5U);
  EXPECT_TRUE(plan.where.Validate().ok());
  EXPECT_EQ(PurgeSelection().Plan().where.kind(), spanloom::store::Predicate::Kind::kEverything);
}

}  // namespace
}  // namespace spanloom::cli::store
