// SPDX-License-Identifier: Apache-2.0
//
// The sender over a transport that is told what to answer. Real loops and back-offs of a millisecond.

#include "cli/tracegen/sender.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace spanloom::cli::tracegen {
namespace {

using Answering = std::function<ExportAnswer(size_t attempt)>;  // attempts of the run are counted from 0

ExportAnswer Ok(uint64_t rejected = 0) {
  return {.status = absl::OkStatus(), .code = "OK", .rejected_spans = rejected, .rejected_reason = "because"};
}
ExportAnswer Unavailable() {
  return {.status = absl::UnavailableError("full"), .code = "UNAVAILABLE", .rejected_reason = {}};
}
ExportAnswer Invalid() {
  return {.status = absl::InvalidArgumentError("bad"), .code = "INVALID_ARGUMENT", .rejected_reason = {}};
}

// Answers each attempt as it was told, on the loop. Bound to the loop.
class ScriptedTransport final : public Transport {
 public:
  ScriptedTransport(net::Loop& loop, Answering answering) : loop_(loop), answering_(std::move(answering)) {}

  void Export(Bytes, absl::AnyInvocable<void(ExportAnswer)> done) override {
    loop_.Post([done = std::move(done), answer = answering_(attempts_++)]() mutable { done(std::move(answer)); });
  }

 private:
  net::Loop& loop_;
  Answering answering_;
  size_t attempts_ = 0;
};

class SenderTest : public testing::Test {
 protected:
  std::unique_ptr<Sender> MakeSender(Answering answering, SenderOptions options = {}) {
    if (options.backoff_first == SenderOptions{}.backoff_first) options.backoff_first = std::chrono::milliseconds(1);
    auto sender = Sender::Create(loops_.At(0), Clock::System(), options, stop_.get_token(), [&](net::Loop& loop) {
      return StatusOr<std::unique_ptr<Transport>>(std::make_unique<ScriptedTransport>(loop, answering));
    });
    return *std::move(sender);
  }

  // Sends `count` requests of ten spans and waits for their ends.
  static DeliveryStats Send(Sender& sender, int count) {
    for (int i = 0; i < count; ++i) EXPECT_TRUE(sender.Submit({.wire = "0123456789", .spans = 10}));
    sender.Drain();
    return sender.stats();
  }

  net::LoopPool loops_{1};
  std::stop_source stop_;
};

TEST_F(SenderTest, CountsWhatIsAcknowledged) {
  const auto sender = MakeSender([](size_t) { return Ok(); });
  const DeliveryStats stats = Send(*sender, 20);
  EXPECT_EQ(stats.acknowledged_spans, 200u);
  EXPECT_EQ(stats.lost_spans(), 0u);
  EXPECT_EQ(stats.requests, 20u);
  EXPECT_EQ(stats.attempts, 20u);
  EXPECT_EQ(stats.wire_bytes, 200u);
  EXPECT_EQ(stats.latency.count(), 20u);
  EXPECT_EQ(sender->last_problem(), "");
}

TEST_F(SenderTest, CountsPartialSuccess) {
  const auto sender = MakeSender([](size_t) { return Ok(3); });
  const DeliveryStats stats = Send(*sender, 2);
  EXPECT_EQ(stats.acknowledged_spans, 14u);
  EXPECT_EQ(stats.rejected_spans, 6u);
  EXPECT_EQ(stats.rejected_reason, "because");
}

// Scenario: every request is refused for good.
// Guarantees: none is sent again.
TEST_F(SenderTest, DoesNotRepeatFinalAnswers) {
  const auto sender = MakeSender([](size_t) { return Invalid(); });
  const DeliveryStats stats = Send(*sender, 3);
  EXPECT_EQ(stats.attempts, 3u);
  EXPECT_EQ(stats.acknowledged_spans, 0u);
  ASSERT_TRUE(stats.refused.contains("INVALID_ARGUMENT"));
  EXPECT_EQ(stats.refused.at("INVALID_ARGUMENT").spans, 30u);
  EXPECT_EQ(stats.refused.at("INVALID_ARGUMENT").requests, 3u);
  EXPECT_EQ(sender->last_problem(), "INVALID_ARGUMENT: bad");
}

// Scenario: the receiver is unavailable twice, then takes the request.
// Guarantees: acknowledged once, nothing lost, three attempts.
TEST_F(SenderTest, RepeatsRetryableAnswers) {
  const auto sender = MakeSender([](size_t attempt) { return attempt < 2 ? Unavailable() : Ok(); });
  const DeliveryStats stats = Send(*sender, 1);
  EXPECT_EQ(stats.acknowledged_spans, 10u);
  EXPECT_EQ(stats.lost_spans(), 0u);
  EXPECT_EQ(stats.attempts, 3u);
  EXPECT_EQ(stats.requests, 1u);
}

TEST_F(SenderTest, GivesUpAfterTheLastRetry) {
  const auto sender = MakeSender([](size_t) { return Unavailable(); }, {.retries_max = 2});
  const DeliveryStats stats = Send(*sender, 2);
  EXPECT_EQ(stats.attempts, 6u);
  EXPECT_EQ(SumSpans(stats.exhausted), 20u);
  EXPECT_EQ(stats.acknowledged_spans, 0u);
  EXPECT_EQ(SumSpans(stats.refused), 0u);
}

// Scenario: RESOURCE_EXHAUSTED without and with a retry delay.
// Guarantees: OTLP's rule: only the second is sent again.
TEST_F(SenderTest, RepeatsResourceExhaustedOnlyIfAsked) {
  ExportAnswer bare = {
      .status = absl::ResourceExhaustedError("quota"), .code = "RESOURCE_EXHAUSTED", .rejected_reason = {}};
  ExportAnswer delayed = bare;
  delayed.status = WithRetryDelay(bare.status, std::chrono::milliseconds(1));
  EXPECT_EQ(Send(*MakeSender([&](size_t) { return bare; }), 1).attempts, 1u);
  EXPECT_EQ(Send(*MakeSender([&](size_t) { return delayed; }, {.retries_max = 3}), 1).attempts, 4u);
}

// Scenario: the receiver asks for 30 ms; the back-off alone would be one.
// Guarantees: its wish is kept.
TEST_F(SenderTest, WaitsAsLongAsTheReceiverAsks) {
  const auto sender = MakeSender([](size_t attempt) {
    ExportAnswer answer = Unavailable();
    answer.status = WithRetryDelay(answer.status, std::chrono::milliseconds(30));
    return attempt == 0 ? answer : Ok();
  });
  const int64_t start_ns = Clock::System().SteadyNs();
  EXPECT_EQ(Send(*sender, 1).acknowledged_spans, 10u);
  EXPECT_GE(Clock::System().SteadyNs() - start_ns, 30'000'000);
}

// Scenario: a request waits an hour for another try when the run is stopped.
// Guarantees: the wait ends at once, its spans are counted as abandoned, and nothing new is taken.
TEST_F(SenderTest, StopAbandonsWaits) {
  Notification answered;
  const auto sender = MakeSender(
      [&](size_t) {
        answered.Notify();
        return Unavailable();
      },
      {.backoff_first = std::chrono::hours(1), .backoff_max = std::chrono::hours(1)});
  ASSERT_TRUE(sender->Submit({.wire = "x", .spans = 10}));
  answered.Wait();
  stop_.request_stop();
  EXPECT_FALSE(sender->Submit({.wire = "x", .spans = 10}));
  sender->Drain();
  const DeliveryStats stats = sender->stats();
  EXPECT_EQ(SumSpans(stats.abandoned), 10u);
  EXPECT_EQ(stats.requests, 1u);
  EXPECT_EQ(stats.lost_spans(), 10u);
}

// Keeps the requests until it is told to answer. Bound to the loop, but for `held`.
class HoldingTransport final : public Transport {
 public:
  struct Held {
    Mutex mutex;
    std::deque<absl::AnyInvocable<void(ExportAnswer)>> done ABSL_GUARDED_BY(mutex);
    size_t most ABSL_GUARDED_BY(mutex) = 0;
  };
  explicit HoldingTransport(Held& held) : held_(held) {}

  void Export(Bytes, absl::AnyInvocable<void(ExportAnswer)> done) override {
    const MutexLock lock(held_.mutex);
    held_.done.push_back(std::move(done));
    held_.most = std::max(held_.most, held_.done.size());
  }

 private:
  Held& held_;
};

// Scenario: a slow receiver, many requests, a concurrency of three.
// Guarantees: never more than three are under way, and three are.
TEST_F(SenderTest, KeepsToItsConcurrency) {
  HoldingTransport::Held held;
  auto sender = Sender::Create(loops_.At(0), Clock::System(), {.concurrency = 3}, stop_.get_token(), [&](net::Loop&) {
    return StatusOr<std::unique_ptr<Transport>>(std::make_unique<HoldingTransport>(held));
  });
  std::thread submitting([&] {
    for (int i = 0; i < 30; ++i) EXPECT_TRUE((*sender)->Submit({.wire = "x", .spans = 1}));
  });
  for (int answered = 0; answered < 30; ++answered) {
    absl::AnyInvocable<void(ExportAnswer)> done;
    {
      const MutexLock lock(held.mutex);
      const auto expected = static_cast<size_t>(std::min(3, 30 - answered));
      const auto is_full = [&held, expected] { return held.done.size() == expected; };
      held.mutex.Await(is_full);
      done = std::move(held.done.front());
      held.done.pop_front();
    }
    loops_.At(0).Post([done = std::move(done)]() mutable { done(Ok()); });
  }
  submitting.join();
  (*sender)->Drain();
  EXPECT_EQ((*sender)->stats().acknowledged_spans, 30u);
  const MutexLock lock(held.mutex);
  EXPECT_EQ(held.most, 3u);
}

TEST_F(SenderTest, ReturnsTheErrorOfItsTransport) {
  const auto sender = Sender::Create(loops_.At(0), Clock::System(), {}, stop_.get_token(), [](net::Loop&) {
    return StatusOr<std::unique_ptr<Transport>>(absl::InvalidArgumentError("no port"));
  });
  EXPECT_EQ(sender.status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace spanloom::cli::tracegen
