// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "config/yaml.h"
#include "pipeline/testing/fake_consumer.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class BatchProcessorTest : public testing::Test {
 protected:
  BatchProcessor& Make(const BatchOptions& options, const BatchLimits& limits = {}) {
    processor_ = std::make_unique<BatchProcessor>(ComponentId{"batch", ""}, options, context_, next_, limits);
    EXPECT_TRUE(processor_->Start().ok());
    return *processor_;
  }
  uint64_t Dropped(const std::string& cause) const {
    return metrics_.Sum("spanloom_pipeline_dropped_spans", {{"processor", "batch"}, {"cause", cause}});
  }

  net::LoopPool loops_{1};
  MetricRegistry metrics_;
  const BuildContext context_{.loops = loops_, .metrics = metrics_, .clock = Clock::System()};
  FakeConsumer next_;
  std::unique_ptr<BatchProcessor> processor_;
};

// Scenario: spans arrive until there are send_batch_size; the timeout is far away.
// Guarantees: they go on as one batch, and the trigger is counted.
TEST_F(BatchProcessorTest, SendsWhenTheSizeIsReached) {
  BatchProcessor& batch = Make({.timeout = 1h, .send_batch_size = 3});
  EXPECT_TRUE(Deliver(batch, BatchOf({"a", "b"})).ok());
  EXPECT_THAT(next_.sizes(), IsEmpty());
  EXPECT_TRUE(Deliver(batch, BatchOf({"c"})).ok());
  ASSERT_TRUE(next_.AwaitSpans(3));
  EXPECT_THAT(next_.sizes(), ElementsAre(3));
  EXPECT_EQ(metrics_.Sum("otelcol_processor_batch_batch_size_trigger_send"), 1u);
}

// Scenario: too few spans for a batch.
// Guarantees: they go on when the timeout has passed.
TEST_F(BatchProcessorTest, SendsWhenTheTimeoutHasPassed) {
  BatchProcessor& batch = Make({.timeout = 2ms, .send_batch_size = 100});
  EXPECT_TRUE(Deliver(batch, BatchOf({"a"})).ok());
  ASSERT_TRUE(next_.AwaitSpans(1));
  EXPECT_TRUE(Deliver(batch, BatchOf({"b"})).ok());
  ASSERT_TRUE(next_.AwaitSpans(2));
  EXPECT_EQ(metrics_.Sum("otelcol_processor_batch_timeout_trigger_send"), 2u);
}

// Scenario: one request with more spans than a batch may have.
// Guarantees: no batch exceeds send_batch_max_size, all spans arrive in order.
TEST_F(BatchProcessorTest, SplitsAtTheLargestSize) {
  BatchProcessor& batch = Make({.timeout = 2ms, .send_batch_size = 2, .send_batch_max_size = 2});
  EXPECT_TRUE(Deliver(batch, BatchOf({"a", "b", "c", "d", "e"})).ok());
  ASSERT_TRUE(next_.AwaitSpans(5));
  EXPECT_THAT(next_.sizes(), ElementsAre(2, 2, 1));
  EXPECT_THAT(next_.names(), ElementsAre("a", "b", "c", "d", "e"));
}

// Scenario: few spans, but of many bytes.
// Guarantees: a batch is sent when it would grow beyond what receivers take.
TEST_F(BatchProcessorTest, SendsWhenTheBytesAreReached) {
  const size_t request_bytes = BatchOf({"a"}).wire_bytes();
  BatchProcessor& batch = Make({.timeout = 1h, .send_batch_size = 1'000}, {.batch_bytes_max = 2 * request_bytes});
  EXPECT_TRUE(Deliver(batch, BatchOf({"a"})).ok());
  EXPECT_TRUE(Deliver(batch, BatchOf({"b"})).ok());
  ASSERT_TRUE(next_.AwaitSpans(2));
  EXPECT_THAT(next_.sizes(), ElementsAre(2));
}

// Scenario: timeout 0, and size 0 with a request that is split.
// Guarantees: nothing waits, no part either; all of that counts as sent for its size, as in the Collector.
TEST_F(BatchProcessorTest, SendsAtOnceIfToldSo) {
  EXPECT_TRUE(Deliver(Make({.timeout = 0ms, .send_batch_size = 100}), BatchOf({"a"})).ok());
  ASSERT_TRUE(next_.AwaitSpans(1));
  BatchProcessor& splitting = Make({.timeout = 1h, .send_batch_size = 0, .send_batch_max_size = 2});
  EXPECT_TRUE(Deliver(splitting, BatchOf({"b", "c", "d"})).ok());
  ASSERT_TRUE(next_.AwaitSpans(4));
  EXPECT_THAT(next_.sizes(), ElementsAre(1, 2, 1));
  EXPECT_EQ(metrics_.Sum("otelcol_processor_batch_batch_size_trigger_send"), 3u);
  EXPECT_EQ(metrics_.Sum("otelcol_processor_batch_timeout_trigger_send"), 0u);
}

// Scenario: the exporter refuses twice for the moment.
// Guarantees: the same spans are offered again until it takes them, once.
TEST_F(BatchProcessorTest, OffersAgainAfterARetryableRefusal) {
  BatchProcessor& batch = Make({.timeout = 0ms});
  next_.Script(WithRetryDelay(absl::UnavailableError("full"), 1ms));
  next_.Script(WithRetryDelay(absl::UnavailableError("full"), 1ms));
  EXPECT_TRUE(Deliver(batch, BatchOf({"a", "b"})).ok());
  ASSERT_TRUE(next_.AwaitSpans(2));
  EXPECT_EQ(next_.offers(), 3u);
  EXPECT_THAT(next_.names(), ElementsAre("a", "b"));
}

// Scenario: the exporter does not answer while requests come in: two more than there is room for.
// Guarantees: they are answered, in their order, when the exporter has taken what was held.
TEST_F(BatchProcessorTest, LetsSendersWaitForRoom) {
  BatchProcessor& batch = Make({.timeout = 0ms}, {.held_spans_max = 2, .room_wait_max = 1h});
  next_.Hold();
  EXPECT_TRUE(Deliver(batch, BatchOf({"a"})).ok());
  EXPECT_TRUE(Deliver(batch, BatchOf({"b"})).ok());
  Answer waiting[2];
  batch.Consume(BatchOf({"c"}), waiting[0].done());
  batch.Consume(BatchOf({"d"}), waiting[1].done());
  EXPECT_FALSE(waiting[0].HasCome() || waiting[1].HasCome());
  next_.Release(absl::OkStatus());
  EXPECT_TRUE(waiting[0].Wait().ok());
  EXPECT_TRUE(waiting[1].Wait().ok());
  ASSERT_TRUE(next_.AwaitSpans(4));
  EXPECT_THAT(next_.names(), ElementsAre("a", "b", "c", "d"));
}

// Scenario: senders wait for room; one's time is over, one has more bytes than may wait, one waits when the stop comes.
// Guarantees: each is refused for the moment, and nothing of theirs is passed on.
TEST_F(BatchProcessorTest, RefusesSendersWhoWaitTooLong) {
  BatchProcessor& batch = Make({.timeout = 0ms}, {.held_spans_max = 1, .room_wait_max = 2ms});
  next_.Hold();
  EXPECT_TRUE(Deliver(batch, BatchOf({"a"})).ok());
  const Status late = Deliver(batch, BatchOf({"b"}));
  EXPECT_EQ(late.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(RetryDelay(late).has_value());
  next_.Release(absl::OkStatus());

  BatchProcessor& narrow =
      Make({.timeout = 0ms}, {.held_spans_max = 1, .room_wait_max = 1h, .room_wait_bytes_max = 100});
  next_.Hold();
  EXPECT_TRUE(Deliver(narrow, BatchOf({"c"})).ok());
  EXPECT_TRUE(RetryDelay(Deliver(narrow, BatchOf({std::string(200, 'd')}))).has_value());
  Answer stopped;
  narrow.Consume(BatchOf({"e"}), stopped.done());
  narrow.Stop(0ms);
  EXPECT_EQ(stopped.Wait().code(), absl::StatusCode::kUnavailable);
  next_.Release(absl::OkStatus());
  ASSERT_TRUE(next_.AwaitSpans(2));
  EXPECT_THAT(next_.names(), ElementsAre("a", "c"));
}

// Scenario: the exporter does not answer while requests come in, and nobody may wait.
// Guarantees: what exceeds the limit is refused with a delay, and taken again once there is room.
TEST_F(BatchProcessorTest, RefusesWhatItCannotHold) {
  BatchProcessor& batch = Make({.timeout = 0ms}, {.held_spans_max = 2, .room_wait_max = 0ms});
  next_.Hold();
  EXPECT_TRUE(Deliver(batch, BatchOf({"a"})).ok());
  EXPECT_TRUE(Deliver(batch, BatchOf({"b"})).ok());
  const Status refused = Deliver(batch, BatchOf({"c"}));
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(RetryDelay(refused).has_value());
  next_.Release(absl::OkStatus());
  ASSERT_TRUE(next_.AwaitSpans(2));
  EXPECT_TRUE(Deliver(batch, BatchOf({"c"})).ok());
  ASSERT_TRUE(next_.AwaitSpans(3));
}

// Scenario: the exporter refuses a batch for good.
// Guarantees: it is dropped and counted by cause; the next one goes through.
TEST_F(BatchProcessorTest, DropsWhatIsRefusedForGood) {
  BatchProcessor& batch = Make({.timeout = 0ms});
  next_.Script(absl::InvalidArgumentError("bad"));
  EXPECT_TRUE(Deliver(batch, BatchOf({"a", "b"})).ok());
  EXPECT_TRUE(Deliver(batch, BatchOf({"c"})).ok());
  ASSERT_TRUE(next_.AwaitSpans(1));
  EXPECT_THAT(next_.names(), ElementsAre("c"));
  EXPECT_EQ(Dropped("InvalidArgument"), 2u);
}

// Scenario: a stop while spans wait for a far timeout, and while an offer waits to be repeated.
// Guarantees: both are passed on at once.
TEST_F(BatchProcessorTest, StopPassesOnWhatItHolds) {
  BatchProcessor& batch = Make({.timeout = 1h, .send_batch_size = 2});
  next_.Script(WithRetryDelay(absl::UnavailableError("full"), 1h));
  EXPECT_TRUE(Deliver(batch, BatchOf({"a", "b"})).ok());
  ASSERT_TRUE(next_.AwaitOffers(1));
  EXPECT_TRUE(Deliver(batch, BatchOf({"c"})).ok());
  batch.Stop(20s);
  EXPECT_THAT(next_.names(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(batch.undelivered_spans(), 0u);
}

// Scenario: a stop while the exporter takes nothing.
// Guarantees: what is given up is counted exactly; later requests are refused.
TEST_F(BatchProcessorTest, StopCountsWhatItGivesUp) {
  BatchProcessor& batch = Make({.timeout = 0ms});
  next_.AnswerWith(WithRetryDelay(absl::UnavailableError("down"), 1h));
  EXPECT_TRUE(Deliver(batch, BatchOf({"a", "b"})).ok());
  EXPECT_TRUE(Deliver(batch, BatchOf({"c"})).ok());
  batch.Stop(1ms);
  EXPECT_EQ(batch.undelivered_spans(), 3u);
  EXPECT_EQ(Dropped("shutdown"), 3u);
  EXPECT_EQ(Deliver(batch, BatchOf({"d"})).code(), absl::StatusCode::kUnavailable);
}

otlp::Batch From(const std::string& tenant, const std::string& name) {
  otlp::Batch batch = BatchOf({name});
  auto origin = std::make_shared<otlp::RequestOrigin>();
  origin->peer_address = "10.0.0.7";
  origin->metadata = {{"x-tenant", tenant}, {"user-agent", name}};
  batch.slices().front().set_origin(std::move(origin));
  return batch;
}

// Scenario: spans of two tenants and of nobody, batched by the tenant's header.
// Guarantees: they go on apart, each with the header that its senders have in common and nothing else of them.
TEST_F(BatchProcessorTest, KeepsTenantsApart) {
  BatchProcessor& batch = Make({.timeout = 1h, .send_batch_size = 2, .metadata_keys = {"X-Tenant"}});
  EXPECT_TRUE(Deliver(batch, From("blue", "a")).ok());
  EXPECT_TRUE(Deliver(batch, From("red", "b")).ok());
  EXPECT_TRUE(Deliver(batch, BatchOf({"c"})).ok());
  EXPECT_THAT(next_.sizes(), IsEmpty());
  EXPECT_TRUE(Deliver(batch, From("red", "d")).ok());
  ASSERT_TRUE(next_.AwaitSpans(2));
  EXPECT_THAT(next_.names(), ElementsAre("b", "d"));
  const otlp::Batch last = next_.last_batch();
  for (const otlp::Slice& slice : last.slices()) {
    ASSERT_NE(slice.origin(), nullptr);
    EXPECT_THAT(slice.origin()->metadata, ElementsAre(testing::Pair("x-tenant", "red")));
    EXPECT_EQ(slice.origin()->peer_address, "");
  }
  EXPECT_EQ(metrics_.SumGauges("otelcol_processor_batch_metadata_cardinality"), 3);
  batch.Stop(20s);
  EXPECT_THAT(next_.names(), testing::UnorderedElementsAre("a", "b", "c", "d"));
}

// Scenario: a third tenant where there may be two.
// Guarantees: it is refused for good, with the limit; the others go on.
TEST_F(BatchProcessorTest, RefusesMoreTenantsThanItMayHave) {
  BatchProcessor& batch =
      Make({.timeout = 0ms, .send_batch_size = 0, .metadata_keys = {"x-tenant"}, .metadata_cardinality_limit = 2});
  EXPECT_TRUE(Deliver(batch, From("blue", "a")).ok());
  EXPECT_TRUE(Deliver(batch, From("red", "b")).ok());
  const Status refused = Deliver(batch, From("green", "c"));
  EXPECT_THAT(StdView(refused.message()), testing::HasSubstr("metadata_cardinality_limit is 2"));
  EXPECT_FALSE(IsRetryable(refused));
  EXPECT_TRUE(Deliver(batch, From("blue", "d")).ok());
  ASSERT_TRUE(next_.AwaitSpans(3));
}

// Scenario: senders on several threads, batches of a few spans, an exporter that answers from inside the call.
// Guarantees: every span goes on once.
TEST_F(BatchProcessorTest, TakesFromManyThreadsAtOnce) {
  BatchProcessor& batch = Make({.timeout = 1ms, .send_batch_size = 3});
  std::vector<std::thread> senders;
  for (int sender = 0; sender < 4; ++sender) {
    senders.emplace_back([&] {
      for (int i = 0; i < 200; ++i) EXPECT_TRUE(Deliver(batch, BatchOf({"a", "b"})).ok());
    });
  }
  for (std::thread& sender : senders) sender.join();
  batch.Stop(20s);
  EXPECT_EQ(next_.names().size(), 1'600U);
  EXPECT_EQ(batch.undelivered_spans(), 0U);
  EXPECT_EQ(metrics_.SumGauges("spanloom_processor_held_spans"), 0);
}

// Scenario: options that contradict each other.
// Guarantees: refused in the Collector's words.
TEST(BatchOptions, LargestSizeMustNotBeBelowTheSize) {
  config::Problems problems;
  config::ReadOptions<BatchOptions>(*config::ParseYaml("send_batch_max_size: 5", "f"), "processors::batch", problems);
  EXPECT_THAT(problems.lines(), ElementsAre("f:1: processors::batch: send_batch_max_size must be greater or equal to "
                                            "send_batch_size"));
}

// Scenario: a stop with an hour of grace, while what stands behind refuses; then there is a hurry.
// Guarantees: it ends, and what was held is counted.
TEST_F(BatchProcessorTest, AHurryEndsTheGraceOfAStop) {
  BatchProcessor& batch = Make({.timeout = 1h});
  next_.AnswerWith(WithRetryDelay(absl::UnavailableError("full"), 1ms));
  EXPECT_TRUE(Deliver(batch, BatchOf({"a", "b"})).ok());
  std::thread stopper([&] { batch.Stop(1h); });
  EXPECT_TRUE(next_.AwaitOffers(1));
  batch.HurryStop();
  stopper.join();
  EXPECT_EQ(batch.undelivered_spans(), 2u);
}

}  // namespace
}  // namespace spanloom::pipeline
