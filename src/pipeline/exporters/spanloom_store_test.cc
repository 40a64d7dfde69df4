// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/spanloom_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/testing/fake_consumer.h"
#include "pipeline/testing/fake_store.h"

namespace spanloom::pipeline {
namespace {

// Scenario: a batch reaches the store.
// Guarantees: it can be found there, and is counted.
TEST(SpanloomStoreExporter, HandsBatchesToTheStore) {
  net::LoopPool loops(1);
  MetricRegistry metrics;
  FakeStore store;
  SpanloomStoreExporter exporter(ComponentId{"spanloom_store", ""},
                                 {.loops = loops, .metrics = metrics, .clock = Clock::System()}, store, "in memory");
  EXPECT_TRUE(Deliver(exporter, BatchOf({"a", "b"})).ok());
  exporter.Stop(std::chrono::seconds(20));
  EXPECT_THAT(store.names(), testing::ElementsAre("a", "b"));
  EXPECT_EQ(metrics.Sum("otelcol_exporter_sent_spans"), 2u);
  EXPECT_EQ(exporter.ack_grade(), AckGrade::kStored);
}

// Scenario: the store refuses.
// Guarantees: its answer reaches the sender, delay included.
TEST(SpanloomStoreExporter, PassesOnRefusals) {
  net::LoopPool loops(1);
  MetricRegistry metrics;
  FakeStore store;
  store.AnswerWith(WithRetryDelay(absl::UnavailableError("disk is full"), std::chrono::milliseconds(5)));
  SpanloomStoreExporter exporter(ComponentId{"spanloom_store", ""},
                                 {.loops = loops, .metrics = metrics, .clock = Clock::System()}, store, "in memory");
  const Status status = Deliver(exporter, BatchOf({"a"}));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(RetryDelay(status), std::chrono::milliseconds(5));
  EXPECT_EQ(metrics.Sum("otelcol_exporter_send_failed_spans"), 1u);
}

}  // namespace
}  // namespace spanloom::pipeline
