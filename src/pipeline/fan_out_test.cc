// SPDX-License-Identifier: Apache-2.0

#include "pipeline/fan_out.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/testing/fake_consumer.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class FanOutTest : public testing::Test {
 protected:
  FanOut Without() { return FanOut("exporter", {{&first_, "a"}, {&second_, "b"}}, context_); }
  FanOut WithStore() { return FanOut("exporter", {{&first_, "a"}, {&store_, "store", true}}, context_); }
  uint64_t Dropped(const std::string& exporter, const std::string& cause) const {
    return metrics_.Sum("spanloom_pipeline_dropped_spans", {{"exporter", exporter}, {"cause", cause}});
  }

  net::LoopPool loops_{1};
  MetricRegistry metrics_;
  const BuildContext context_{.loops = loops_, .metrics = metrics_, .clock = Clock::System()};
  FakeConsumer first_;
  FakeConsumer second_;
  FakeConsumer store_;
};

// Scenario: two exporters that take everything.
// Guarantees: both get all spans.
TEST_F(FanOutTest, GivesEveryTargetEverything) {
  FanOut fan_out = Without();
  EXPECT_TRUE(Deliver(fan_out, BatchOf({"x", "y"})).ok());
  EXPECT_THAT(first_.names(), ElementsAre("x", "y"));
  EXPECT_THAT(second_.names(), ElementsAre("x", "y"));
}

// Scenario: one of two exporters refuses.
// Guarantees: OK for the sender, the refusal is a counted drop.
TEST_F(FanOutTest, OneThatTakesItIsEnough) {
  FanOut fan_out = Without();
  second_.AnswerWith(absl::UnavailableError("full"));
  EXPECT_TRUE(Deliver(fan_out, BatchOf({"x", "y"})).ok());
  EXPECT_EQ(Dropped("b", "Unavailable"), 2u);
  EXPECT_EQ(metrics_.Sum("spanloom_pipeline_dropped_spans"), 2u);
}

// Scenario: both refuse, one for good and one for the moment.
// Guarantees: the sender is told to come back; nothing counts as dropped.
TEST_F(FanOutTest, ARetryableRefusalWinsWhenNobodyTakesIt) {
  FanOut fan_out = Without();
  first_.AnswerWith(absl::InvalidArgumentError("bad"));
  second_.AnswerWith(WithRetryDelay(absl::UnavailableError("full"), std::chrono::milliseconds(9)));
  EXPECT_EQ(RetryDelay(Deliver(fan_out, BatchOf({"x"}))), std::chrono::milliseconds(9));
  EXPECT_EQ(metrics_.Sum("spanloom_pipeline_dropped_spans"), 0u);
  second_.AnswerWith(absl::InternalError("broken"));
  EXPECT_EQ(Deliver(fan_out, BatchOf({"x"})).code(), absl::StatusCode::kInvalidArgument);
}

// Scenario: the store takes a batch, the exporter beside it refuses.
// Guarantees: OK; the drop is counted.
TEST_F(FanOutTest, TheStoreDecides) {
  FanOut fan_out = WithStore();
  first_.AnswerWith(absl::UnavailableError("full"));
  EXPECT_TRUE(Deliver(fan_out, BatchOf({"x"})).ok());
  EXPECT_THAT(store_.names(), ElementsAre("x"));
  EXPECT_EQ(Dropped("a", "Unavailable"), 1u);
}

// Scenario: the store refuses.
// Guarantees: the sender is refused, and the exporter has not seen the batch: sent again, it arrives once.
TEST_F(FanOutTest, WhatTheStoreRefusesGoesNowhere) {
  FanOut fan_out = WithStore();
  store_.Script(absl::UnavailableError("disk is full"));
  EXPECT_EQ(Deliver(fan_out, BatchOf({"x"})).code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(first_.names(), IsEmpty());
  EXPECT_TRUE(Deliver(fan_out, BatchOf({"x"})).ok());
  EXPECT_THAT(first_.names(), ElementsAre("x"));
}

// Scenario: the exporter beside the store does not answer.
// Guarantees: the sender gets the store's answer without waiting for it.
TEST_F(FanOutTest, ASlowExporterDoesNotDelayTheStoresAnswer) {
  FanOut fan_out = WithStore();
  first_.Hold();
  EXPECT_TRUE(Deliver(fan_out, BatchOf({"x"})).ok());
  first_.Release(absl::UnavailableError("too late"));
  EXPECT_EQ(Dropped("a", "Unavailable"), 1u);
}

}  // namespace
}  // namespace spanloom::pipeline
