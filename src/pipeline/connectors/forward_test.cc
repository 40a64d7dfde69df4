// SPDX-License-Identifier: Apache-2.0

#include "pipeline/connectors/forward.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/testing/fake_consumer.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Scenario: what stands behind the connector takes a batch, then refuses one.
// Guarantees: the spans and the answer go through unchanged.
TEST(ForwardConnector, PassesOnSpansAndAnswers) {
  FakeConsumer next;
  ForwardConnector forward(next);
  EXPECT_TRUE(Deliver(forward, BatchOf({"a", "b"})).ok());
  next.AnswerWith(WithRetryDelay(absl::UnavailableError("full"), std::chrono::milliseconds(7)));
  EXPECT_EQ(RetryDelay(Deliver(forward, BatchOf({"c"}))), std::chrono::milliseconds(7));
  EXPECT_THAT(next.names(), ElementsAre("a", "b"));
}

// Scenario: room is kept behind the connector, and given back; then there is none.
// Guarantees: the reservation is that of what stands behind it.
TEST(ForwardConnector, ReservesBehindIt) {
  FakeConsumer next;
  next.KeepRoomFor(2);
  ForwardConnector forward(next);
  {
    const auto admission = forward.Reserve(BatchOf({"a", "b"}));
    ASSERT_TRUE(admission.ok());
    EXPECT_EQ(forward.Reserve(BatchOf({"c"})).status().code(), absl::StatusCode::kUnavailable);
  }
  EXPECT_TRUE(forward.Reserve(BatchOf({"c"})).ok());
  EXPECT_THAT(next.names(), IsEmpty());
}

}  // namespace
}  // namespace spanloom::pipeline
