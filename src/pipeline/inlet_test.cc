// SPDX-License-Identifier: Apache-2.0

#include "pipeline/inlet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
