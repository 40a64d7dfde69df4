// SPDX-License-Identifier: Apache-2.0
//
// Sending queues that bring requests together.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "otlp/request.h"
#include "pipeline/exporters/queue.h"
#include "pipeline/testing/fake_consumer.h"
#include "pipeline/testing/fake_destination.h"
#include "pipeline/testing/requests.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using Names = std::vector<std::string>;

class QueueGroupingTest : public testing::Test {
 protected:
  // What is under way holds the queue until it is answered.
  void TearDown() override {
    destination_.Release(size_t{0});
    if (queue_ != nullptr) queue_->Stop(kPatience);
  }

  SendingQueue& Make(const SendingQueueOptions& options, const RetryOptions& retry = {.enabled = false}) {
    queue_ = std::make_unique<SendingQueue>("otlp_grpc", std::make_shared<RequestEncoder>(net::Compression::kNone),
                                            options, retry, context_, loops_.At(0),
                                            [this](const ExportRequest& request, SendDone done) {
                                              destination_.Send(request.message.Joined(), std::move(done));
                                            });
    return *queue_;
  }

  // A batch of `names` with the header `tenant`, or none if it is "".
  static otlp::Batch BatchFrom(const std::string& tenant, const Names& names) {
    otlp::Batch batch = BatchOf(names);
    otlp::RequestOrigin origin;
    if (!tenant.empty()) origin.metadata = {{"x-tenant", tenant}};
    const auto shared = std::make_shared<const otlp::RequestOrigin>(std::move(origin));
    for (otlp::Slice& slice : batch.slices()) slice.set_origin(shared);
    return batch;
  }

  // Hands a batch over; the answer is there when the function returns, unless the queue waits for the result.
  Status Consume(const Names& names, const std::string& tenant = "") {
    Notification there;
    Status answer;
    queue_->Consume(BatchFrom(tenant, names), [&](Status status) {
      answer = std::move(status);
      there.Notify();
    });
    CHECK(there.WaitFor(kPatience));
    return answer;
  }

  [[nodiscard]] std::vector<Names> Arrived() const {
    std::vector<Names> arrived;
    for (const std::string& attempt : destination_.attempts()) {
      arrived.push_back(NamesOf(otlp::Batch(*otlp::ReadTraces(Bytes(attempt)))));
    }
    return arrived;
  }
  uint64_t Dropped(const std::string& cause) const {
    return metrics_.Sum("spanloom_pipeline_dropped_spans", {{"exporter", "otlp_grpc"}, {"cause", cause}});
  }
  double Held() const { return metrics_.SumGauges("spanloom_exporter_held_spans"); }

  net::LoopPool loops_{1};
  MetricRegistry metrics_;
  const BuildContext context_{.loops = loops_, .metrics = metrics_, .clock = Clock::System(), .seed = 1};
  FakeDestination destination_{loops_.At(0)};
  std::unique_ptr<SendingQueue> queue_;
};

// Scenario: requests of two spans where four are wanted; then a stop.
// Guarantees: they are sent two by two, in order; what is left at the end is sent too.
TEST_F(QueueGroupingTest, SendsWhenThereAreEnough) {
  SendingQueue& queue = Make({.batch = QueueBatchOptions{.flush_timeout = 1h, .min_size = 4}});
  for (const Names& names : {Names{"a", "b"}, Names{"c", "d"}, Names{"e", "f"}}) EXPECT_TRUE(Consume(names).ok());
  ASSERT_TRUE(destination_.AwaitAttempts(1));
  EXPECT_THAT(Arrived(), ElementsAre(Names{"a", "b", "c", "d"}));
  queue.Stop(20s);
  EXPECT_THAT(Arrived(), ElementsAre(Names{"a", "b", "c", "d"}, Names{"e", "f"}));
  EXPECT_EQ(metrics_.Sum("otelcol_exporter_sent_spans"), 6U);
  EXPECT_EQ(Held(), 0);
}

// Scenario: too few spans come.
// Guarantees: they are sent when the time has passed.
TEST_F(QueueGroupingTest, SendsAfterTheTimeout) {
  Make({.batch = QueueBatchOptions{.flush_timeout = 1ms}});
  EXPECT_TRUE(Consume({"a"}).ok());
  ASSERT_TRUE(destination_.AwaitAttempts(1));
  EXPECT_THAT(Arrived(), ElementsAre(Names{"a"}));
}

// Scenario: sizes in bytes, of which one span has more than enough.
// Guarantees: it is sent at once.
TEST_F(QueueGroupingTest, CountsBytesIfToldSo) {
  Make({.batch = QueueBatchOptions{.flush_timeout = 1h, .min_size = 100, .sizer = QueueBatchOptions::Sizer::kBytes}});
  EXPECT_TRUE(Consume({std::string(200, 'a')}).ok());
  ASSERT_TRUE(destination_.AwaitAttempts(1));
}

// Scenario: a request larger than a group may be; the sender waits for the result, which is bad for the second part.
// Guarantees: cut at the limit; the sender is told the error, once all parts have ended.
TEST_F(QueueGroupingTest, CutsAtTheLimitAndAnswersForAllParts) {
  Make({.wait_for_result = true, .batch = QueueBatchOptions{.flush_timeout = 1ms, .min_size = 2, .max_size = 2}});
  destination_.Script(size_t{0});
  destination_.Script(absl::InvalidArgumentError("bad"));
  EXPECT_EQ(Consume({"a", "b", "c", "d", "e"}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Arrived(), ElementsAre(Names{"a", "b"}, Names{"c", "d"}, Names{"e"}));
  EXPECT_EQ(metrics_.Sum("otelcol_exporter_sent_spans"), 3U);
  EXPECT_EQ(metrics_.Sum("otelcol_exporter_send_failed_spans"), 2U);
}

// Scenario: requests of two tenants and of none, kept apart by a header whose name is written in capitals.
// Guarantees: each request that is sent is of one of them.
TEST_F(QueueGroupingTest, KeepsApartWhatIsToldApart) {
  SendingQueue& queue = Make(
      {.batch = QueueBatchOptions{.flush_timeout = 1h, .min_size = 2, .partition = {.metadata_keys = {"X-Tenant"}}}});
  EXPECT_TRUE(Consume({"a1"}, "a").ok());
  EXPECT_TRUE(Consume({"b1"}, "b").ok());
  EXPECT_TRUE(Consume({"n1"}).ok());
  EXPECT_TRUE(Consume({"a2"}, "a").ok());
  ASSERT_TRUE(destination_.AwaitAttempts(1));
  EXPECT_THAT(Arrived(), ElementsAre(Names{"a1", "a2"}));
  queue.Stop(20s);
  EXPECT_THAT(Arrived(), testing::UnorderedElementsAre(Names{"a1", "a2"}, Names{"b1"}, Names{"n1"}));
}

// Scenario: a stop while the destination does not answer: a group is under way, another waits for more.
// Guarantees: all is counted as undelivered, once.
TEST_F(QueueGroupingTest, StopCountsWhatItGivesUp) {
  SendingQueue& queue = Make({.batch = QueueBatchOptions{.flush_timeout = 1h, .min_size = 2}});
  destination_.Hold();
  EXPECT_TRUE(Consume({"a", "b"}).ok());
  ASSERT_TRUE(destination_.AwaitAttempts(1));
  EXPECT_TRUE(Consume({"c"}).ok());
  queue.Stop(1ms);
  destination_.Release(absl::CancelledError("closed"));
  Consume({"late"}).IgnoreError();  // its refusal comes after the answers above
  EXPECT_EQ(queue.undelivered_spans(), 3U);
  EXPECT_EQ(Dropped("shutdown"), 3U);
  EXPECT_EQ(Held(), 0);
}

// Scenario: the queue takes the place of a `batch` of four spans, for a queue_size of three; later of none.
// Guarantees: it groups as that would; requests count as the parts of groups that they are, so eight spans may wait
// beside the group that is under way; then
// requests go as they come, and what had waited for others is sent.
TEST_F(QueueGroupingTest, TakesThePlaceOfAProcessor) {
  SendingQueue& queue = Make({.num_consumers = 1, .queue_size = 3});
  queue.GroupAs(Grouping{.spans_min = 4, .timeout = 1h});
  destination_.Hold();
  EXPECT_TRUE(Consume({"a", "b", "c", "d"}).ok());
  ASSERT_TRUE(destination_.AwaitAttempts(1));
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(Consume({"e"}).ok());
  EXPECT_EQ(metrics_.SumGauges("otelcol_exporter_queue_size"), 3);
  EXPECT_EQ(Consume({"f"}).code(), absl::StatusCode::kUnavailable);
  destination_.Release(size_t{0});
  ASSERT_TRUE(destination_.AwaitAttempts(3));
  EXPECT_TRUE(Consume({"g"}).ok());
  queue.GroupAs(std::nullopt);
  EXPECT_TRUE(Consume({"h"}).ok());
  queue.Stop(20s);
  const Names four(4, "e");
  EXPECT_THAT(Arrived(), ElementsAre(Names{"a", "b", "c", "d"}, four, four, testing::_, testing::_));
  EXPECT_THAT(Arrived(), testing::IsSupersetOf({Names{"g"}, Names{"h"}}));
}

// Scenario: a queue that groups on its own is told to take a processor's place.
// Guarantees: what its options say stays.
TEST_F(QueueGroupingTest, ItsOwnOptionsCountMore) {
  SendingQueue& queue = Make({.batch = QueueBatchOptions{.flush_timeout = 1h, .min_size = 2}});
  queue.GroupAs(Grouping{.spans_min = 1, .timeout = 0ns});
  EXPECT_TRUE(Consume({"a"}).ok());
  EXPECT_THAT(Arrived(), IsEmpty());
  EXPECT_TRUE(Consume({"b"}).ok());
  ASSERT_TRUE(destination_.AwaitAttempts(1));
  EXPECT_THAT(Arrived(), ElementsAre(Names{"a", "b"}));
}

TEST(QueueBatchOptions, SaysWhatIsWrong) {
  EXPECT_TRUE((QueueBatchOptions{}).Validate().ok());
  EXPECT_FALSE((QueueBatchOptions{.flush_timeout = 0ns}).Validate().ok());
  EXPECT_FALSE((QueueBatchOptions{.min_size = 3, .max_size = 2}).Validate().ok());
  EXPECT_FALSE((QueueBatchOptions{.partition = {.metadata_keys = {"a", "A"}}}).Validate().ok());
  EXPECT_FALSE((SendingQueueOptions{.enabled = false, .batch = QueueBatchOptions{}}).Validate().ok());
}

}  // namespace
}  // namespace spanloom::pipeline
