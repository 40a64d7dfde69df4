// SPDX-License-Identifier: Apache-2.0

#include "store/head/write_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "store/conformance/request_builder.h"

namespace spanloom::store::head {
namespace {

otlp::Batch BatchOfSpans(uint64_t count) {
  RequestBuilder builder;
  builder.FromService("s");
  for (uint64_t i = 1; i <= count; ++i) builder.Add({.trace_id = MakeTraceId(i), .span_id = MakeSpanId(i)});
  return builder.Build();
}

// A queue whose writer waits until it is let.
class WriteQueueTest : public testing::Test {
 protected:
  ~WriteQueueTest() override { Release(); }

  void MakeQueue(size_t bytes_max) {
    queue_.emplace(
        WriteQueue::Options{.name = "store", .bytes_max = bytes_max, .group_batches_max = group_batches_max_},
        [this](std::span<const otlp::Batch> batches) {
          if (!entered_.HasBeenNotified()) entered_.Notify();
          may_write_.Wait();
          writer_ = std::this_thread::get_id();
          groups_.push_back(batches.size());
          for (const otlp::Batch& batch : batches) spans_ += batch.span_count();
          return std::vector<Status>(batches.size());
        },
        [] {});
  }
  void Release() {
    if (!may_write_.HasBeenNotified()) may_write_.Notify();
  }

  Notification entered_;
  Notification may_write_;
  std::atomic<uint64_t> spans_ = 0;
  size_t group_batches_max_ = 1;
  // Read after Stop().
  std::thread::id writer_;
  std::vector<size_t> groups_;
  std::optional<WriteQueue> queue_;
};

// Scenario: room for two batches; one is being written, one waits, a third wants in; then the writer goes on.
// Guarantees: the third is told to come again, and when; reserved room counts until it is given back or written.
TEST_F(WriteQueueTest, RefusesWhatDoesNotFitNow) {
  const otlp::Batch batch = BatchOfSpans(10);
  MakeQueue(2 * batch.wire_bytes() + 1);
  auto first = queue_->Reserve(batch);
  ASSERT_TRUE(first.ok());
  (*first)->Commit(batch, [](const Status&) {});
  entered_.Wait();
  {
    const auto second = queue_->Reserve(batch);
    ASSERT_TRUE(second.ok());
    const Status third = queue_->Reserve(batch).status();
    EXPECT_EQ(third.code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(RetryDelay(third), WriteQueue::kRetryDelay);
  }
  EXPECT_TRUE(queue_->Reserve(batch).ok());
  Release();
  queue_->Stop();
  EXPECT_EQ(queue_->bytes(), 0);
  EXPECT_EQ(spans_, 10);
  EXPECT_NE(writer_, std::this_thread::get_id());
}

// Scenario: five batches come while the first is written, and three may be written together.
// Guarantees: those that wait are written in groups, none of which is larger, and each is answered once.
TEST_F(WriteQueueTest, WritesWhatWaitsTogether) {
  const otlp::Batch batch = BatchOfSpans(1);
  group_batches_max_ = 3;
  MakeQueue(100 * batch.wire_bytes());
  std::atomic<int> answers = 0;
  const auto append = [&] {
    auto reservation = queue_->Reserve(batch);
    ASSERT_TRUE(reservation.ok());
    (*reservation)->Commit(batch, [&](const Status& status) { answers += status.ok() ? 1 : 0; });
  };
  append();
  entered_.Wait();
  for (int i = 0; i < 5; ++i) append();
  Release();
  queue_->Stop();
  EXPECT_EQ(groups_, (std::vector<size_t>{1, 3, 2}));
  EXPECT_EQ(answers, 6);
}

// Scenario: a batch that is larger than the whole queue.
// Guarantees: refused for good: sending it again can't help.
TEST_F(WriteQueueTest, RefusesWhatNeverFits) {
  const otlp::Batch batch = BatchOfSpans(10);
  MakeQueue(batch.wire_bytes() - 1);
  const Status status = queue_->Reserve(batch).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_FALSE(IsRetryable(status));
}

// Scenario: room for a large batch is used by a small one.
// Guarantees: the small one takes what it is, and the rest is given back with the reservation.
TEST_F(WriteQueueTest, CountsWhatWasCommitted) {
  const otlp::Batch large = BatchOfSpans(100);
  const otlp::Batch small = BatchOfSpans(1);
  MakeQueue(large.wire_bytes());
  auto reservation = queue_->Reserve(large);
  ASSERT_TRUE(reservation.ok());
  EXPECT_EQ(queue_->bytes(), large.wire_bytes());
  (*reservation)->Commit(small, [](const Status&) {});
  EXPECT_EQ(queue_->bytes(), large.wire_bytes());
  reservation->reset();
  EXPECT_EQ(queue_->bytes(), small.wire_bytes());
}

// Scenario: batches wait while the queue is stopped from another thread.
// Guarantees: all of them are written, each is answered once.
TEST_F(WriteQueueTest, WritesWhatWaitsBeforeItStops) {
  MakeQueue(1U << 20);
  std::atomic<int> answers = 0;
  for (int i = 0; i < 5; ++i) {
    auto reservation = queue_->Reserve(BatchOfSpans(2));
    ASSERT_TRUE(reservation.ok());
    (*reservation)->Commit(BatchOfSpans(2), [&answers](const Status& status) { answers += status.ok() ? 1 : 0; });
  }
  std::thread stopper([this] { queue_->Stop(); });
  Release();
  stopper.join();
  EXPECT_EQ(answers, 5);
  EXPECT_EQ(spans_, 10);
}

}  // namespace
}  // namespace spanloom::store::head
