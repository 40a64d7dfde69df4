// SPDX-License-Identifier: Apache-2.0

#include "pipeline/inlet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "pipeline/testing/fake_consumer.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;

class InletTest : public testing::Test {
 protected:
  // Leads to `consumer` through a new passage, whose end is the result.
  std::shared_ptr<Notification> LeadTo(FakeConsumer& consumer) {
    auto ended = std::make_shared<Notification>();
    inlet_.Lead(consumer, std::make_shared<const Passage>(nullptr, ended));
    return ended;
  }

  Inlet inlet_;
  FakeConsumer old_;
  FakeConsumer new_;
};

// Scenario: a request is under way when the inlet is switched, and another comes after.
// Guarantees: each is answered on its own way; the old passage ends with the last answer, not before.
TEST_F(InletTest, WhatEnteredBeforeTheSwitchLeavesTheOldWay) {
  const auto ended = LeadTo(old_);
  old_.Hold();
  Status answer = absl::UnknownError("");
  inlet_.Consume(BatchOf({"a"}), [&](Status status) { answer = std::move(status); });
  LeadTo(new_);
  EXPECT_TRUE(Deliver(inlet_, BatchOf({"b"})).ok());
  EXPECT_THAT(new_.names(), ElementsAre("b"));
  EXPECT_FALSE(ended->HasBeenNotified());
  old_.Release(absl::OkStatus());
  EXPECT_TRUE(answer.ok());
  EXPECT_TRUE(ended->HasBeenNotified());
}

// Scenario: more threads than an inlet has signs offer one batch each, before and after a switch.
// Guarantees: all are led the old way, then the new one; the old passage ends with the switch.
TEST_F(InletTest, EveryThreadIsLedTheSameWay) {
  constexpr int kThreads = 20;
  const auto offer_from_all = [&] {
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] { EXPECT_TRUE(Deliver(inlet_, BatchOf({"a"})).ok()); });
    }
    for (std::thread& thread : threads) thread.join();
  };
  const auto ended = LeadTo(old_);
  offer_from_all();
  EXPECT_EQ(old_.offers(), kThreads);
  EXPECT_FALSE(ended->HasBeenNotified());
  LeadTo(new_);
  EXPECT_TRUE(ended->HasBeenNotified());
  offer_from_all();
  EXPECT_EQ(old_.offers(), kThreads);
  EXPECT_EQ(new_.offers(), kThreads);
}

// Scenario: a passage is exchanged for another one of the same wiring.
// Guarantees: the first one ends at once; what is offered still goes the same way.
TEST_F(InletTest, CanBeHeldByAnotherPassage) {
  const auto ended = LeadTo(old_);
  inlet_.HoldBy(std::make_shared<const Passage>(nullptr, std::make_shared<Notification>()));
  EXPECT_TRUE(ended->HasBeenNotified());
  EXPECT_TRUE(Deliver(inlet_, BatchOf({"a"})).ok());
  EXPECT_THAT(old_.names(), ElementsAre("a"));
}

// Scenario: room is reserved on the old way when the inlet is switched; then it is committed.
// Guarantees: it is used where it was reserved, and the passage lasts as long.
TEST_F(InletTest, AReservationKeepsItsWay) {
  const auto ended = LeadTo(old_);
  auto admission = inlet_.Reserve(BatchOf({"a"}));
  ASSERT_TRUE(admission.ok());
  LeadTo(new_);
  EXPECT_FALSE(ended->HasBeenNotified());
  (*admission)->Commit(BatchOf({"a"}), [](const Status& status) { EXPECT_TRUE(status.ok()); });
  admission->reset();
  EXPECT_THAT(old_.names(), ElementsAre("a"));
  EXPECT_TRUE(ended->HasBeenNotified());
}

}  // namespace
}  // namespace spanloom::pipeline
