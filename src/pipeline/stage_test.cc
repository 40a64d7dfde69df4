// SPDX-License-Identifier: Apache-2.0

#include "pipeline/stage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/testing/fake_consumer.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;

// Drops spans named "noise", or refuses.
class NoiseFilter final : public TransformProcessor {
 public:
  Status Admit(const otlp::Batch&) override { return admission; }
  Status Process(otlp::Batch& batch) override {
    if (!refusal.ok()) return refusal;
    for (otlp::Slice& slice : batch.slices()) {
      slice.DropIf([](const otlp::SpanContext& context) { return context.span.name() == "noise"; });
    }
    return absl::OkStatus();
  }
  Status admission;
  Status refusal;
};

class StageTest : public testing::Test {
 protected:
  uint64_t Filtered() const {
    return metrics_.Sum("spanloom_pipeline_filtered_spans", {{"processor", "filter"}, {"pipeline", "traces"}});
  }

  MetricRegistry metrics_;
  NoiseFilter transform_;
  FakeConsumer next_;
  Stage stage_{"filter", "traces", transform_, next_, metrics_};
};

// Scenario: a batch with noise; the next consumer refuses it first.
// Guarantees: its answer is the stage's; what was dropped counts once, when the batch is accepted.
TEST_F(StageTest, CountsWhatItDroppedWhenTheRestIsAccepted) {
  next_.Script(WithRetryDelay(absl::UnavailableError("full"), std::chrono::milliseconds(7)));
  EXPECT_EQ(RetryDelay(Deliver(stage_, BatchOf({"a", "noise", "b"}))), std::chrono::milliseconds(7));
  EXPECT_EQ(Filtered(), 0u);
  EXPECT_TRUE(Deliver(stage_, BatchOf({"a", "noise", "b"})).ok());
  EXPECT_THAT(next_.names(), ElementsAre("a", "b"));
  EXPECT_EQ(Filtered(), 1u);
  EXPECT_EQ(metrics_.Sum("otelcol_processor_incoming_items"), 6u);
  EXPECT_EQ(metrics_.Sum("otelcol_processor_outgoing_items"), 4u);
}

// Scenario: nothing is left of a batch.
// Guarantees: answered OK without bothering the next consumer.
TEST_F(StageTest, SwallowsWhatIsLeftWithoutSpans) {
  EXPECT_TRUE(Deliver(stage_, BatchOf({"noise", "noise"})).ok());
  EXPECT_EQ(next_.offers(), 0u);
  EXPECT_EQ(Filtered(), 2u);
}

// Scenario: the processor refuses.
// Guarantees: its refusal is the answer, nothing goes on.
TEST_F(StageTest, PassesOnTheProcessorsRefusal) {
  transform_.refusal = absl::UnavailableError("data refused due to high memory usage");
  EXPECT_EQ(Deliver(stage_, BatchOf({"a"})).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(next_.offers(), 0u);
}

// Scenario: the processor does not admit a batch, offered and reserved for.
// Guarantees: it is refused before anything behind it is asked, and counts as come in; what has a reservation is not
// asked about again.
TEST_F(StageTest, AsksTheProcessorBeforeAnythingElse) {
  auto admission = stage_.Reserve(BatchOf({"a"}));
  ASSERT_TRUE(admission.ok());
  transform_.admission = absl::UnavailableError("data refused due to high memory usage");
  EXPECT_EQ(Deliver(stage_, BatchOf({"b", "c"})).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(stage_.Reserve(BatchOf({"d"})).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(next_.offers(), 0u);
  EXPECT_EQ(metrics_.Sum("otelcol_processor_incoming_items"), 3u);
  EXPECT_EQ(metrics_.Sum("otelcol_processor_outgoing_items"), 0u);
  Status answer = absl::UnknownError("");
  (*admission)->Commit(BatchOf({"a"}), [&](Status status) { answer = std::move(status); });
  EXPECT_TRUE(answer.ok());
}

// Scenario: room is reserved, given back, reserved again and used.
// Guarantees: it is reserved for the whole batch, processing happens at commit alone, and what was dropped leaves room.
TEST_F(StageTest, ReservesForTheWholeAndProcessesAtCommit) {
  next_.KeepRoomFor(3);
  EXPECT_TRUE(stage_.Reserve(BatchOf({"a", "noise", "b"})).ok());
  EXPECT_EQ(metrics_.Sum("otelcol_processor_incoming_items"), 0u);
  auto admission = stage_.Reserve(BatchOf({"a", "noise", "b"}));
  ASSERT_TRUE(admission.ok());
  EXPECT_EQ(next_.room_spans(), 0u);
  Status answer = absl::UnknownError("");
  (*admission)->Commit(BatchOf({"a", "noise", "b"}), [&](Status status) { answer = std::move(status); });
  admission->reset();
  EXPECT_TRUE(answer.ok());
  EXPECT_THAT(next_.names(), ElementsAre("a", "b"));
  EXPECT_EQ(next_.room_spans(), 1u);
}

}  // namespace
}  // namespace spanloom::pipeline
