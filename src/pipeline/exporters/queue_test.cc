// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/mutex.h"
#include "net/loop_call.h"
#include "otlp/request.h"
#include "pipeline/testing/fake_consumer.h"
#include "pipeline/testing/fake_destination.h"
#include "pipeline/testing/requests.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

const RetryOptions kQuickRetry = {.initial_interval = 1ms, .max_interval = 1ms};

class SendingQueueTest : public testing::Test {
 protected:
  SendingQueue& Make(const SendingQueueOptions& options = {}, const RetryOptions& retry = kQuickRetry) {
    queue_ = std::make_unique<SendingQueue>("otlp_grpc", encoder_, options, retry, context_, loops_.At(0),
                                            [this](const ExportRequest& request, SendDone done) {
                                              destination_.Send(request.message.Joined(), std::move(done));
                                            });
    return *queue_;
  }

  // Offers one request of `spans` spans and waits for the answer.
  Status Offer(const std::string& message, size_t spans = 1) {
    struct Answer {
      Notification there;
      Status status;
    };
    const auto answer = std::make_shared<Answer>();
    queue_->Offer({{ByteChain(Bytes::CopyOf(message)), spans, message.size()}}, [answer](Status status) {
      answer->status = std::move(status);
      answer->there.Notify();
    });
    CHECK(answer->there.WaitFor(kPatience));
    return answer->status;
  }

  // Hands a batch over and waits for the answer.
  static Status Consume(SendingQueue& queue, const otlp::Batch& batch) {
    Notification there;
    Status answer;
    queue.Consume(batch, [&](Status status) {
      answer = std::move(status);
      there.Notify();
    });
    CHECK(there.WaitFor(kPatience));
    return answer;
  }

  uint64_t Sent() const { return metrics_.Sum("otelcol_exporter_sent_spans"); }
  uint64_t Failed() const { return metrics_.Sum("otelcol_exporter_send_failed_spans"); }
  uint64_t Dropped(const std::string& cause) const {
    return metrics_.Sum("spanloom_pipeline_dropped_spans", {{"exporter", "otlp_grpc"}, {"cause", cause}});
  }

  net::LoopPool loops_{1};
  MetricRegistry metrics_;
  const BuildContext context_{.loops = loops_, .metrics = metrics_, .clock = Clock::System(), .seed = 1};
  FakeDestination destination_{loops_.At(0)};
  const std::shared_ptr<RequestEncoder> encoder_ = std::make_shared<RequestEncoder>(net::Compression::kNone);
  std::unique_ptr<SendingQueue> queue_;
};

// Scenario: the destination takes what it is sent.
// Guarantees: answered OK, sent once, counted.
TEST_F(SendingQueueTest, SendsWhatItTakes) {
  SendingQueue& queue = Make();
  EXPECT_TRUE(Offer("a", 3).ok());
  EXPECT_TRUE(Offer("b", 4).ok());
  queue.Stop(20s);
  EXPECT_THAT(destination_.attempts(), ElementsAre("a", "b"));
  EXPECT_EQ(Sent(), 7u);
  EXPECT_EQ(queue.undelivered_spans(), 0u);
}

// Scenario: the destination is away for two attempts.
// Guarantees: the same message is sent until it arrives; nothing is counted as lost.
TEST_F(SendingQueueTest, SendsAgainWhatFailedForTheMoment) {
  SendingQueue& queue = Make();
  destination_.Script(absl::UnavailableError("down"));
  destination_.Script(WithRetryDelay(absl::ResourceExhaustedError("later"), 1ms));
  EXPECT_TRUE(Offer("a", 3).ok());
  ASSERT_TRUE(destination_.AwaitAttempts(3));
  queue.Stop(20s);
  EXPECT_THAT(destination_.attempts(), ElementsAre("a", "a", "a"));
  EXPECT_EQ(Sent(), 3u);
  EXPECT_EQ(Failed(), 0u);
}

// Scenario: the destination refuses for good.
// Guarantees: sent once, then dropped and counted by cause; the next request is sent.
TEST_F(SendingQueueTest, DropsWhatIsRefusedForGood) {
  SendingQueue& queue = Make();
  destination_.Script(absl::ResourceExhaustedError("over quota"));
  EXPECT_TRUE(Offer("a", 3).ok());
  EXPECT_TRUE(Offer("b", 1).ok());
  queue.Stop(20s);
  EXPECT_THAT(destination_.attempts(), ElementsAre("a", "b"));
  EXPECT_EQ(Failed(), 3u);
  EXPECT_EQ(Dropped("ResourceExhausted"), 3u);
  EXPECT_EQ(Sent(), 1u);
}

// Scenario: an outage longer than max_elapsed_time.
// Guarantees: the request is given up when its next wait would exceed it.
TEST_F(SendingQueueTest, GivesUpAfterTheElapsedTime) {
  SendingQueue& queue = Make({}, {.initial_interval = 10s, .max_elapsed_time = 1s});
  destination_.AnswerWith(absl::UnavailableError("down"));
  EXPECT_TRUE(Offer("a", 3).ok());
  ASSERT_TRUE(destination_.AwaitAttempts(1));
  queue.Stop(20s);
  EXPECT_EQ(Dropped("Unavailable"), 3u);
  EXPECT_EQ(queue.undelivered_spans(), 0u);
}

// Scenario: retry_on_failure is off.
// Guarantees: one attempt.
TEST_F(SendingQueueTest, DoesNotRetryIfToldSo) {
  SendingQueue& queue = Make({}, {.enabled = false});
  destination_.AnswerWith(absl::UnavailableError("down"));
  EXPECT_TRUE(Offer("a").ok());
  queue.Stop(20s);
  EXPECT_THAT(destination_.attempts(), ElementsAre("a"));
  EXPECT_EQ(Dropped("Unavailable"), 1u);
}

// Scenario: one consumer that is busy, and a queue of three.
// Guarantees: what is under way counts, as in the Collector: the fourth request is refused with a delay and counted;
// the others are sent later, in order.
TEST_F(SendingQueueTest, RefusesWhenItIsFull) {
  SendingQueue& queue = Make({.num_consumers = 1, .queue_size = 3});
  destination_.Hold();
  EXPECT_TRUE(Offer("a").ok());
  ASSERT_TRUE(destination_.AwaitAttempts(1));
  EXPECT_TRUE(Offer("b").ok());
  EXPECT_FALSE(queue.IsFull());
  EXPECT_TRUE(Offer("c").ok());
  EXPECT_TRUE(queue.IsFull());
  EXPECT_EQ(metrics_.SumGauges("otelcol_exporter_queue_size"), 3);
  const Status refused = Offer("d", 5);
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(RetryDelay(refused).has_value());
  EXPECT_EQ(metrics_.Sum("otelcol_exporter_enqueue_failed_spans"), 5u);
  destination_.Release(size_t{0});
  queue.Stop(20s);
  EXPECT_THAT(destination_.attempts(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(metrics_.SumGauges("otelcol_exporter_queue_size"), 0);
}

// Scenario: the queue is switched off.
// Guarantees: the answer is the destination's; nothing counts as dropped, because nobody was told OK.
TEST_F(SendingQueueTest, AnswersWithTheDestinationIfThereIsNoQueue) {
  Make({.enabled = false}, {.enabled = false});
  EXPECT_TRUE(Offer("a").ok());
  destination_.AnswerWith(absl::UnavailableError("down"));
  EXPECT_EQ(Offer("b", 2).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Failed(), 2u);
  EXPECT_EQ(Dropped("Unavailable"), 0u);
}

// Scenario: the destination takes a request in part.
// Guarantees: what it rejected is counted apart from what it took, and not sent again.
TEST_F(SendingQueueTest, CountsRejectedSpans) {
  SendingQueue& queue = Make();
  destination_.Script(size_t{2});
  EXPECT_TRUE(Offer("a", 5).ok());
  queue.Stop(20s);
  EXPECT_THAT(destination_.attempts(), ElementsAre("a"));
  EXPECT_EQ(Sent(), 3u);
  EXPECT_EQ(metrics_.Sum("spanloom_exporter_rejected_spans"), 2u);
}

// Scenario: a stop while a request waits an hour for its next attempt, and the destination is back.
// Guarantees: it is sent at once.
TEST_F(SendingQueueTest, StopSendsWhatWaitsToBeSentAgain) {
  SendingQueue& queue = Make({}, {.initial_interval = 1h, .max_interval = 1h, .max_elapsed_time = 0s});
  destination_.Script(absl::UnavailableError("down"));
  EXPECT_TRUE(Offer("a", 3).ok());
  ASSERT_TRUE(destination_.AwaitAttempts(1));
  queue.Stop(20s);
  EXPECT_EQ(Sent(), 3u);
}

// Scenario: a stop while one request waits an hour for its next attempt and another is under way; both fail once more
// while the queue drains, then the destination is back.
// Guarantees: both are sent, long before the hour is over.
TEST_F(SendingQueueTest, StopSendsAgainWhatFailsMeanwhile) {
  SendingQueue& queue = Make({}, {.initial_interval = 1h, .max_interval = 1h, .max_elapsed_time = 0s});
  destination_.Script(absl::UnavailableError("down"));
  EXPECT_TRUE(Offer("a", 1).ok());
  ASSERT_TRUE(destination_.AwaitAttempts(1));
  // The attempt's answer is a task that the attempt has posted: after the second turn it has run.
  for (int turn = 0; turn < 2; ++turn) RunOn(loops_.At(0), [] {});
  destination_.Hold();
  EXPECT_TRUE(Offer("b", 10).ok());
  ASSERT_TRUE(destination_.AwaitAttempts(2));
  std::thread stopper([&] { queue.Stop(20s); });
  EXPECT_TRUE(destination_.AwaitAttempts(3));  // "a" again: it drains
  destination_.Release(absl::UnavailableError("still down"));
  stopper.join();
  EXPECT_EQ(Sent(), 11u);
}

// Scenario: a stop with an hour of grace waits for an attempt that has no answer; then there is a hurry.
// Guarantees: it ends, and what had no answer is counted when it fails.
TEST_F(SendingQueueTest, AHurryEndsTheGraceOfAStop) {
  SendingQueue& queue = Make();
  destination_.Hold();
  EXPECT_TRUE(Offer("a", 3).ok());
  ASSERT_TRUE(destination_.AwaitAttempts(1));
  std::thread stopper([&] { queue.Stop(1h); });
  queue.HurryStop();
  stopper.join();
  destination_.Release(absl::CancelledError("closed"));
  Offer("b").IgnoreError();  // its refusal comes after the answer above
  EXPECT_EQ(queue.undelivered_spans(), 3u);
}

// Scenario: a stop while the destination is down: one request waits to be sent again, one for a consumer, one is under
// way. Guarantees: all are counted as undelivered, the last one when its attempt ends.
TEST_F(SendingQueueTest, StopCountsWhatItGivesUp) {
  SendingQueue& queue =
      Make({.num_consumers = 2}, {.initial_interval = 1h, .max_interval = 1h, .max_elapsed_time = 0s});
  destination_.AnswerWith(absl::UnavailableError("down"));
  EXPECT_TRUE(Offer("a", 1).ok());
  ASSERT_TRUE(destination_.AwaitAttempts(1));
  destination_.Hold();
  EXPECT_TRUE(Offer("b", 10).ok());
  ASSERT_TRUE(destination_.AwaitAttempts(2));
  EXPECT_TRUE(Offer("c", 100).ok());
  queue.Stop(1ms);
  const uint64_t given_up = queue.undelivered_spans();
  destination_.Release(absl::CancelledError("closed"));
  Offer("d").IgnoreError();  // its refusal comes after the answers above
  EXPECT_GE(given_up, 100u);
  EXPECT_EQ(queue.undelivered_spans(), 111u);
  EXPECT_EQ(Dropped("shutdown"), 111u);
}

// Scenario: wait_for_result with a destination that is away, then back, then refuses for good.
// Guarantees: the answer is the destination's, after what was retried; nothing counts as dropped.
TEST_F(SendingQueueTest, AnswersWithTheResultIfToldSo) {
  SendingQueue& queue = Make({.wait_for_result = true});
  EXPECT_EQ(queue.ack_grade(), AckGrade::kDelivered);
  destination_.Script(absl::UnavailableError("down"));
  EXPECT_TRUE(Offer("a", 3).ok());
  EXPECT_THAT(destination_.attempts(), ElementsAre("a", "a"));
  destination_.AnswerWith(absl::InvalidArgumentError("bad"));
  EXPECT_EQ(Offer("b", 2).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Sent(), 3u);
  EXPECT_EQ(Failed(), 2u);
  EXPECT_EQ(Dropped("InvalidArgument"), 0u);
}

// Scenario: wait_for_result, and a stop while the destination does not take it.
// Guarantees: the sender is told to send again; nothing is undelivered, because nobody was told OK.
TEST_F(SendingQueueTest, StopAnswersThoseWhoWaitForTheResult) {
  SendingQueue& queue = Make({.wait_for_result = true}, {.initial_interval = 1h, .max_interval = 1h});
  destination_.AnswerWith(absl::UnavailableError("down"));
  Notification answered;
  Status answer;
  queue.Offer({{ByteChain(Bytes::CopyOf("a")), 3, 1}}, [&](Status status) {
    answer = std::move(status);
    answered.Notify();
  });
  ASSERT_TRUE(destination_.AwaitAttempts(1));
  queue.Stop(1ms);
  ASSERT_TRUE(answered.WaitFor(kPatience));
  EXPECT_EQ(answer.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(queue.undelivered_spans(), 0u);
}

// Scenario: a queue of six spans that counts items.
// Guarantees: what would exceed it is refused with a delay, what alone exceeds it for good.
TEST_F(SendingQueueTest, CountsSpansIfToldSo) {
  SendingQueue& queue = Make({.num_consumers = 1, .queue_size = 6, .sizer = SendingQueueOptions::Sizer::kItems});
  destination_.Hold();
  EXPECT_TRUE(Offer("a", 1).ok());
  ASSERT_TRUE(destination_.AwaitAttempts(1));
  EXPECT_TRUE(Offer("b", 3).ok());
  EXPECT_EQ(metrics_.SumGauges("otelcol_exporter_queue_size"), 4);
  const Status refused = Offer("c", 3);
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(RetryDelay(refused).has_value());
  EXPECT_TRUE(Offer("d", 2).ok());
  EXPECT_EQ(Offer("e", 7).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(metrics_.Sum("otelcol_exporter_enqueue_failed_spans"), 10u);
  EXPECT_EQ(queue.hold_limits().spans, 6u);
  destination_.Release(size_t{0});
  queue.Stop(20s);
  EXPECT_EQ(Sent(), 6u);
}

// Scenario: block_on_overflow with a queue of two that is full; then room appears.
// Guarantees: the sender waits instead of being refused, and is answered when there is room; the order is kept.
TEST_F(SendingQueueTest, LetsSendersWaitForRoomIfToldSo) {
  SendingQueue& queue = Make({.num_consumers = 1, .queue_size = 2, .block_on_overflow = true});
  destination_.Hold();
  EXPECT_TRUE(Offer("a").ok());
  ASSERT_TRUE(destination_.AwaitAttempts(1));
  EXPECT_TRUE(Offer("b").ok());
  EXPECT_FALSE(queue.IsFull());
  Notification answered;
  queue.Offer({{ByteChain(Bytes::CopyOf("c")), 1, 1}}, [&](const Status& status) {
    EXPECT_TRUE(status.ok());
    answered.Notify();
  });
  RunOn(loops_.At(0), [] {});
  EXPECT_FALSE(answered.HasBeenNotified());
  destination_.Release(size_t{0});
  ASSERT_TRUE(answered.WaitFor(kPatience));
  queue.Stop(20s);
  EXPECT_THAT(destination_.attempts(), ElementsAre("a", "b", "c"));
}

// Scenario: the destination is away, then back; later it does not know the sender.
// Guarantees: a recoverable error for as long as it does not take what it is sent.
TEST_F(SendingQueueTest, ReportsHowTheDestinationIs) {
  StatusBoard board(Clock::System());
  BuildContext context = context_;
  context.status = board.Add(ComponentKind::kExporter, "otlp_grpc", "");
  context.status.ReportOk();
  SendingQueue queue("otlp_grpc", encoder_, {.wait_for_result = true}, {.enabled = false}, context, loops_.At(0),
                     [this](const ExportRequest& request, SendDone done) {
                       destination_.Send(request.message.Joined(), std::move(done));
                     });
  const auto offer = [&](StatusOr<size_t> outcome) {
    destination_.Script(std::move(outcome));
    Notification answered;
    queue.Offer({{ByteChain(Bytes::CopyOf("a")), 1, 1}}, [&](const Status&) { answered.Notify(); });
    ASSERT_TRUE(answered.WaitFor(kPatience));
  };
  offer(absl::UnavailableError("down"));
  EXPECT_EQ(context.status.state(), ComponentState::kRecoverableError);
  offer(size_t{0});
  EXPECT_EQ(context.status.state(), ComponentState::kOk);
  offer(absl::InvalidArgumentError("this request is bad"));
  EXPECT_EQ(context.status.state(), ComponentState::kOk);
  offer(absl::UnauthenticatedError("who are you"));
  EXPECT_EQ(context.status.state(), ComponentState::kRecoverableError);
  queue.Stop(20s);
}

const Status kTooLarge = absl::ResourceExhaustedError("grpc: received message larger than max (160000 vs. 70000)");

// Four spans of some 40 kB each.
std::vector<std::string> LargeNames() {
  return {std::string(40'000, 'a'), std::string(40'000, 'b'), std::string(40'000, 'c'), std::string(40'000, 'd')};
}

otlp::Batch LargeBatch() {
  return BatchOf(LargeNames());
}

// The same four spans, but one was dropped, so that they have to be copied, which is for a worker.
otlp::Batch LargeChangedBatch() {
  std::vector<std::string> names = LargeNames();
  names.emplace_back("dropped");
  otlp::Batch batch = BatchOf(names);
  batch.slices()[0].DropIf([](const otlp::SpanContext& context) { return context.span.name() == "dropped"; });
  return batch;
}

size_t SpansIn(const std::string& message) {
  return otlp::ReadTraces(Bytes::CopyOf(message))->span_count();
}

// Scenario: a destination that takes 70 kB refuses a request of 4 spans of 40; another such request follows.
// Guarantees: every span of the first arrives once, in order; the second is cut before it is sent; nothing is lost.
TEST_F(SendingQueueTest, SendsInPartsWhatIsTooLarge) {
  SendingQueue& queue = Make();
  destination_.Script(kTooLarge);
  EXPECT_TRUE(Consume(queue, LargeBatch()).ok());
  ASSERT_TRUE(destination_.AwaitAttempts(5));
  EXPECT_TRUE(Consume(queue, LargeBatch()).ok());
  queue.Stop(20s);
  std::vector<size_t> spans;
  for (const std::string& attempt : destination_.attempts()) spans.push_back(SpansIn(attempt));
  EXPECT_THAT(spans, ElementsAre(4, 1, 1, 1, 1, 1, 1, 1, 1));
  EXPECT_EQ(Sent(), 8u);
  EXPECT_EQ(Failed(), 0u);
  EXPECT_EQ(queue.undelivered_spans(), 0u);
}

// Scenario: the same, where the sender waits for the destination.
// Guarantees: it is answered once, when all parts have arrived.
TEST_F(SendingQueueTest, OneAnswerForAllParts) {
  SendingQueue& queue = Make({.wait_for_result = true});
  destination_.Script(kTooLarge);
  EXPECT_TRUE(Consume(queue, LargeBatch()).ok());
  EXPECT_EQ(destination_.attempts().size(), 5u);
  EXPECT_EQ(Sent(), 4u);
}

// Scenario: one span alone is larger than the destination takes; others come with it.
// Guarantees: it alone is dropped, counted with that cause.
TEST_F(SendingQueueTest, DropsASpanThatAloneIsTooLarge) {
  SendingQueue& queue = Make();
  destination_.Script(kTooLarge);
  destination_.Script(kTooLarge);
  EXPECT_TRUE(Consume(queue, LargeBatch()).ok());
  ASSERT_TRUE(destination_.AwaitAttempts(5));
  queue.Stop(20s);
  EXPECT_EQ(Sent(), 3u);
  EXPECT_EQ(Failed(), 1u);
  EXPECT_EQ(Dropped("too_large"), 1u);
}

// While it lives, no worker does anything else.
class BusyWorkers {
 public:
  explicit BusyWorkers(WorkerPool& workers) {
    constexpr int kMoreThanThereAre = 16;
    for (int i = 0; i < kMoreThanThereAre; ++i) {
      CHECK(workers.Submit([free = free_] { free->WaitFor(kPatience); }));
    }
  }
  ~BusyWorkers() { Free(); }
  void Free() {
    if (!free_->HasBeenNotified()) free_->Notify();
  }

 private:
  const std::shared_ptr<Notification> free_ = std::make_shared<Notification>();  // shared with the tasks
};

// Scenario: large batches come faster than workers encode them.
// Guarantees: a few are answered before they are encoded, the next one when it is; all arrive.
TEST_F(SendingQueueTest, AnswersOnlyAFewBeforeTheyAreEncoded) {
  SendingQueue& queue = Make();
  BusyWorkers busy(loops_.workers());
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(Consume(queue, LargeChangedBatch()).ok());
  Notification answered;
  queue.Consume(LargeChangedBatch(), [&](const Status& status) {
    EXPECT_TRUE(status.ok());
    answered.Notify();
  });
  RunOn(loops_.At(0), [] {});
  EXPECT_FALSE(answered.HasBeenNotified());
  EXPECT_EQ(metrics_.SumGauges("otelcol_exporter_queue_size"), 5);
  EXPECT_EQ(metrics_.SumGauges("spanloom_exporter_held_spans"), 16);
  busy.Free();
  ASSERT_TRUE(answered.WaitFor(kPatience));
  queue.Stop(20s);
  EXPECT_EQ(Sent(), 20u);
  EXPECT_EQ(metrics_.SumGauges("otelcol_exporter_queue_size"), 0);
  EXPECT_EQ(metrics_.SumGauges("spanloom_exporter_held_spans"), 0);
}

// Scenario: large batches that are whole, while every worker is busy.
// Guarantees: they are sent as they came, without a worker.
TEST_F(SendingQueueTest, NeedsNoWorkerForWhatIsSentAsItCame) {
  SendingQueue& queue = Make();
  BusyWorkers busy(loops_.workers());
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(Consume(queue, LargeBatch()).ok());
  queue.Stop(20s);
  EXPECT_EQ(Sent(), 24u);
  busy.Free();
}

// Scenario: a stop while a worker encodes what was answered, and while a batch waits to be.
// Guarantees: what was answered is counted as undelivered, once; the other sender is told to send again.
TEST_F(SendingQueueTest, StopCountsWhatIsBeingEncoded) {
  SendingQueue& queue = Make();
  BusyWorkers busy(loops_.workers());
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(Consume(queue, LargeChangedBatch()).ok());
  Notification answered;
  Status answer;
  queue.Consume(LargeChangedBatch(), [&](Status status) {
    answer = std::move(status);
    answered.Notify();
  });
  queue.Stop(1ms);
  EXPECT_EQ(queue.undelivered_spans(), 16u);
  busy.Free();
  ASSERT_TRUE(answered.WaitFor(kPatience));
  EXPECT_EQ(answer.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(queue.undelivered_spans(), 16u);
  EXPECT_EQ(Dropped("shutdown"), 16u);
  EXPECT_EQ(Sent(), 0u);
}

}  // namespace
}  // namespace spanloom::pipeline
