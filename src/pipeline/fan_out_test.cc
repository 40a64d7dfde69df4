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
  static FanOutTarget Target(FakeConsumer& consumer, const std::string& name, bool stores = false) {
    return {&consumer, {{"exporter", name}}, stores};
  }
  FanOut Without() { return FanOut({Target(first_, "a"), Target(second_, "b")}, context_); }
  FanOut WithStore() { return FanOut({Target(first_, "a"), Target(store_, "store", true)}, context_); }
  FanOut WithTwoStores() {
    return FanOut({Target(first_, "a"), Target(store_, "store", true), Target(second_, "second", true)}, context_);
  }
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

// Keeps what the batch it is given is encoded to.
class Encoder final : public Consumer {
 public:
  void Consume(otlp::Batch batch, Done done) override {
    encoded = batch.Encode();
    std::move(done)(absl::OkStatus());
  }
  Bytes encoded;
};

// Scenario: two exporters encode a batch of two requests.
// Guarantees: it is encoded once; both have the same bytes in memory.
TEST_F(FanOutTest, TargetsShareWhatTheyEncode) {
  Encoder first;
  Encoder second;
  FanOut fan_out({{&first, {{"exporter", "a"}}, false}, {&second, {{"exporter", "b"}}, false}}, context_);
  otlp::Batch batch = BatchOf({"x"});
  batch.Add(BatchOf({"y"}));
  EXPECT_TRUE(Deliver(fan_out, batch).ok());
  EXPECT_EQ(first.encoded.view(), batch.Encode().view());
  EXPECT_EQ(first.encoded.view().data(), second.encoded.view().data());
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

// Scenario: an exporter beside one whose OK says nothing of the spans; the exporter refuses, then takes them.
// Guarantees: the exporter alone decides; the other is offered what was taken, and nothing else.
TEST_F(FanOutTest, OneThatFollowsDecidesNothing) {
  FanOut fan_out({Target(first_, "a"), {&second_, {{"connector", "counts"}}, false, true}}, context_);
  first_.Script(absl::UnavailableError("full"));
  EXPECT_EQ(Deliver(fan_out, BatchOf({"x"})).code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(second_.names(), IsEmpty());
  EXPECT_TRUE(Deliver(fan_out, BatchOf({"x"})).ok());
  EXPECT_THAT(second_.names(), ElementsAre("x"));
  EXPECT_EQ(metrics_.Sum("spanloom_pipeline_dropped_spans"), 0u);
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

// Scenario: of two stores one has no room now.
// Guarantees: nothing is taken anywhere, the room of the other is given back, and the longest delay is the answer's.
TEST_F(FanOutTest, AllStoresReserveOrNoneTakesIt) {
  FanOut fan_out = WithTwoStores();
  store_.RefuseReservations(WithRetryDelay(absl::UnavailableError("full"), std::chrono::milliseconds(9)));
  second_.KeepRoomFor(1, std::chrono::milliseconds(5));
  const Status refused = Deliver(fan_out, BatchOf({"x"}));
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(RetryDelay(refused), std::chrono::milliseconds(9));
  EXPECT_EQ(first_.offers() + store_.offers() + second_.offers(), 0u);
  EXPECT_EQ(second_.room_spans(), 1u);
  second_.KeepRoomFor(0, std::chrono::milliseconds(30));
  EXPECT_EQ(RetryDelay(Deliver(fan_out, BatchOf({"x"}))), std::chrono::milliseconds(30));
  EXPECT_EQ(metrics_.Sum("spanloom_pipeline_dropped_spans"), 0u);
}

// Scenario: one store refuses in a way that senders must not take for final, the other for good.
// Guarantees: RESOURCE_EXHAUSTED with a delay becomes UNAVAILABLE; what is final stays final.
TEST_F(FanOutTest, OnlyAFinalRefusalIsFinal) {
  FanOut fan_out = WithTwoStores();
  store_.RefuseReservations(WithRetryDelay(absl::ResourceExhaustedError("quota"), std::chrono::milliseconds(9)));
  EXPECT_EQ(Deliver(fan_out, BatchOf({"x"})).code(), absl::StatusCode::kUnavailable);
  second_.RefuseReservations(absl::ResourceExhaustedError("this batch alone is larger than the store"));
  EXPECT_EQ(Deliver(fan_out, BatchOf({"x"})).code(), absl::StatusCode::kResourceExhausted);
}

// Scenario: two stores take a batch, one of them slowly.
// Guarantees: the answer waits for both; the exporter is offered the batch after that.
TEST_F(FanOutTest, TheAnswerWaitsForEveryStore) {
  FanOut fan_out = WithTwoStores();
  second_.Hold();
  bool answered = false;
  fan_out.Consume(BatchOf({"x"}), [&](const Status& status) { answered = status.ok(); });
  EXPECT_FALSE(answered);
  EXPECT_EQ(first_.offers(), 0u);
  second_.Release(absl::OkStatus());
  EXPECT_TRUE(answered);
  EXPECT_THAT(store_.names(), ElementsAre("x"));
  EXPECT_THAT(first_.names(), ElementsAre("x"));
}

// Scenario: one of two stores fails after both had room.
// Guarantees: the sender is told to send again with a delay, and what the other took meanwhile is counted.
TEST_F(FanOutTest, AFailedCommitIsSentAgain) {
  FanOut fan_out = WithTwoStores();
  second_.Script(absl::UnavailableError("write failed"));
  const Status refused = Deliver(fan_out, BatchOf({"x", "y"}));
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(RetryDelay(refused).has_value());
  EXPECT_EQ(first_.offers(), 0u);
  EXPECT_EQ(metrics_.Sum("spanloom_pipeline_repeated_spans", {{"exporter", "store"}}), 2u);
  EXPECT_TRUE(Deliver(fan_out, BatchOf({"x", "y"})).ok());
  EXPECT_THAT(first_.names(), ElementsAre("x", "y"));
}

// Scenario: one of two stores refuses for good at commit.
// Guarantees: sending again would not help: OK, and a counted drop of that store.
TEST_F(FanOutTest, AFinalFailureAtCommitIsADrop) {
  FanOut fan_out = WithTwoStores();
  second_.Script(absl::InvalidArgumentError("bad"));
  EXPECT_TRUE(Deliver(fan_out, BatchOf({"x"})).ok());
  EXPECT_EQ(Dropped("second", "InvalidArgument"), 1u);
}

// Scenario: a fan-out behind a fan-out, both with stores; the inner one has no room.
// Guarantees: the reservation goes through; the outer store has not taken anything.
TEST_F(FanOutTest, ReservesThroughAnotherFanOut) {
  FanOut inner = WithTwoStores();
  FakeConsumer outer_store;
  FanOut outer({{&outer_store, {{"pipeline", "a"}}, true}, {&inner, {{"pipeline", "b"}}, true}}, context_);
  second_.KeepRoomFor(0);
  EXPECT_EQ(Deliver(outer, BatchOf({"x"})).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(outer_store.offers(), 0u);
  second_.KeepRoomFor(1);
  EXPECT_TRUE(Deliver(outer, BatchOf({"x"})).ok());
  for (const FakeConsumer* each : {&outer_store, &store_, &second_, &first_}) {
    EXPECT_THAT(each->names(), ElementsAre("x"));
  }
}

// Scenario: the fan-out ends while an exporter beside a store has not answered, as after a reload.
// Guarantees: the late refusal is still counted.
TEST_F(FanOutTest, ALateAnswerOutlivesTheFanOut) {
  first_.Hold();
  {
    FanOut fan_out = WithStore();
    EXPECT_TRUE(Deliver(fan_out, BatchOf({"x"})).ok());
  }
  first_.Release(absl::UnavailableError("too late"));
  EXPECT_EQ(Dropped("a", "Unavailable"), 1u);
}

}  // namespace
}  // namespace spanloom::pipeline
