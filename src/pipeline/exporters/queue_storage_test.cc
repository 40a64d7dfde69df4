// SPDX-License-Identifier: Apache-2.0
//
// Sending queues that keep their requests on the disk.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/text.h"
#include "otlp/request.h"
#include "pipeline/exporters/queue.h"
#include "pipeline/testing/fake_consumer.h"
#include "pipeline/testing/fake_destination.h"
#include "pipeline/testing/requests.h"
#include "store/disk/testing/simulated_disk.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;
using store::disk::SimulatedDisk;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class StorageOnly final : public Extension {
 public:
  explicit StorageOnly(std::shared_ptr<const QueueStorage> storage) : storage_(std::move(storage)) {}
  Status Start() override { return absl::OkStatus(); }
  void Stop(std::chrono::milliseconds) override {}
  [[nodiscard]] std::shared_ptr<const QueueStorage> queue_storage() const override { return storage_; }

 private:
  const std::shared_ptr<const QueueStorage> storage_;
};

// A queue with its destination, on a disk that the next one finds again.
class StoredQueue {
 public:
  StoredQueue(net::LoopPool& loops, std::shared_ptr<SimulatedDisk> disk,
              net::Compression compression = net::Compression::kNone)
      : loops_(loops), destination_(loops.At(0)), encoder_(std::make_shared<RequestEncoder>(compression)) {
    auto storage = std::make_shared<QueueStorage>();
    storage->disk = std::move(disk);
    storage->directory = "/storage";
    EXPECT_TRUE(storage->disk->CreateDirectory("/storage").ok());
    roles_.Add("file_storage", StorageOnly(std::move(storage)));
  }

  Status Start(const std::optional<QueueBatchOptions>& batch = {}) {
    const BuildContext context{
        .loops = loops_, .metrics = metrics_, .clock = Clock::System(), .seed = 1, .extensions = &roles_};
    queue_ = std::make_unique<SendingQueue>(
        "otlp_grpc/b", encoder_, SendingQueueOptions{.num_consumers = 1, .storage = "file_storage", .batch = batch},
        RetryOptions{.initial_interval = 1ms, .max_interval = 1ms, .max_elapsed_time = 0ms}, context, loops_.At(0),
        [this](const ExportRequest& request, SendDone done) {
          destination_.Send(request.message.Joined(), std::move(done));
        });
    return queue_->Start();
  }

  Status Offer(const std::string& message, size_t spans = 1) {
    Notification there;
    Status answer;
    queue_->Offer({{.message = ByteChain(Bytes::CopyOf(message)), .spans = spans, .encoded_bytes = message.size()}},
                  [&](Status status) {
                    answer = std::move(status);
                    there.Notify();
                  });
    CHECK(there.WaitFor(kPatience));
    return answer;
  }
  Status Consume(const otlp::Batch& batch) {
    Notification there;
    Status answer;
    queue_->Consume(batch, [&](Status status) {
      answer = std::move(status);
      there.Notify();
    });
    CHECK(there.WaitFor(kPatience));
    return answer;
  }

  [[nodiscard]] FakeDestination& destination() { return destination_; }
  [[nodiscard]] SendingQueue& queue() { return *queue_; }
  [[nodiscard]] const MetricRegistry& metrics() const { return metrics_; }

 private:
  net::LoopPool& loops_;
  MetricRegistry metrics_;
  FakeDestination destination_;
  ExtensionRoles roles_;
  std::shared_ptr<RequestEncoder> encoder_;
  std::unique_ptr<SendingQueue> queue_;
};

class QueueStorageTest : public testing::Test {
 protected:
  net::LoopPool loops_{1};
  std::shared_ptr<SimulatedDisk> disk_ = std::make_shared<SimulatedDisk>();
};

const Status kDown = absl::UnavailableError("down");

// Scenario: requests are taken and delivered; the queue is stopped and made again.
// Guarantees: nothing is sent twice.
TEST_F(QueueStorageTest, SendsOnceWhatIsDelivered) {
  {
    StoredQueue first(loops_, disk_);
    ASSERT_TRUE(first.Start().ok());
    EXPECT_TRUE(first.Offer("a").ok());
    EXPECT_TRUE(first.Offer("b").ok());
    ASSERT_TRUE(first.destination().AwaitAttempts(2));
    first.queue().Stop(20s);
    EXPECT_EQ(first.queue().undelivered_spans(), 0U);
  }
  StoredQueue second(loops_, disk_);
  ASSERT_TRUE(second.Start().ok());
  second.queue().Stop(20s);
  EXPECT_THAT(second.destination().attempts(), IsEmpty());
}

// Scenario: the destination is down until after a stop and a start.
// Guarantees: what was answered OK arrives then, in order, before what is new; the stop loses nothing.
TEST_F(QueueStorageTest, KeepsOverAStopWhatWasAnswered) {
  {
    StoredQueue first(loops_, disk_);
    ASSERT_TRUE(first.Start().ok());
    first.destination().AnswerWith(kDown);
    for (const char* message : {"a", "b", "c"}) EXPECT_TRUE(first.Offer(message, 2).ok());
    ASSERT_TRUE(first.destination().AwaitAttempts(1));
    first.queue().Stop(1ms);
    EXPECT_EQ(first.queue().undelivered_spans(), 0U);
    EXPECT_EQ(first.metrics().Sum("spanloom_pipeline_dropped_spans"), 0U);
    EXPECT_EQ(first.Offer("late").code(), absl::StatusCode::kUnavailable);
  }
  StoredQueue second(loops_, disk_);
  ASSERT_TRUE(second.Start().ok());
  EXPECT_TRUE(second.Offer("d").ok());
  ASSERT_TRUE(second.destination().AwaitAttempts(4));
  second.queue().Stop(20s);
  EXPECT_THAT(second.destination().attempts(), ElementsAre("a", "b", "c", "d"));
  EXPECT_EQ(second.metrics().Sum("otelcol_exporter_sent_spans"), 7U);
}

// Scenario: the process is killed while requests wait.
// Guarantees: all that were answered OK are sent by the next one.
TEST_F(QueueStorageTest, KeepsOverAKillWhatWasAnswered) {
  StoredQueue first(loops_, disk_);
  ASSERT_TRUE(first.Start().ok());
  first.destination().AnswerWith(kDown);
  for (const char* message : {"a", "b", "c"}) EXPECT_TRUE(first.Offer(message).ok());
  StoredQueue second(loops_, disk_->AfterKill());
  ASSERT_TRUE(second.Start().ok());
  ASSERT_TRUE(second.destination().AwaitAttempts(3));
  EXPECT_THAT(second.destination().attempts(), ElementsAre("a", "b", "c"));
}

// Scenario: messages of many megabytes wait, more than the queue holds in memory.
// Guarantees: all of them arrive, whole and in order.
TEST_F(QueueStorageTest, ReadsBackWhatItDoesNotHoldInMemory) {
  StoredQueue stored(loops_, disk_);
  ASSERT_TRUE(stored.Start().ok());
  stored.destination().Hold();
  std::vector<std::string> messages;
  for (int i = 0; i < 7; ++i) messages.emplace_back((9 << 20) + i, static_cast<char>('a' + i));
  for (const std::string& message : messages) ASSERT_TRUE(stored.Offer(message).ok());
  stored.destination().Release(size_t{0});
  ASSERT_TRUE(stored.destination().AwaitAttempts(messages.size()));
  EXPECT_TRUE(stored.destination().attempts() == messages);
}

// Scenario: the disk is full for a while.
// Guarantees: senders are told to come again, with the reason; then they are taken.
TEST_F(QueueStorageTest, RefusesWhenTheDiskIsFull) {
  StoredQueue stored(loops_, disk_);
  ASSERT_TRUE(stored.Start().ok());
  stored.destination().AnswerWith(kDown);
  EXPECT_TRUE(stored.Offer("a").ok());
  disk_->SetCapacity(1);
  const Status refused = stored.Offer("b", 3);
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(RetryDelay(refused).has_value());
  EXPECT_THAT(StdView(refused.message()), HasSubstr("the storage of its queue fails"));
  EXPECT_EQ(stored.metrics().Sum("otelcol_exporter_enqueue_failed_spans"), 3U);
  disk_->SetCapacity(1 << 20);
  EXPECT_TRUE(stored.Offer("c").ok());
}

// Scenario: a request is too large and sent in parts; the process is killed when only some are delivered.
// Guarantees: the request is whole after the next start.
TEST_F(QueueStorageTest, ForgetsARequestWhenAllItsPartsAreDelivered) {
  StoredQueue first(loops_, disk_);
  ASSERT_TRUE(first.Start().ok());
  first.destination().Script(absl::ResourceExhaustedError("grpc: received message larger than max (100 vs. 50)"));
  first.destination().Script(size_t{0});
  first.destination().AnswerWith(kDown);
  EXPECT_TRUE(first.Consume(BatchOf({"a", "b", "c", "d"})).ok());
  ASSERT_TRUE(first.destination().AwaitAttempts(4));
  StoredQueue second(loops_, disk_->AfterKill());
  ASSERT_TRUE(second.Start().ok());
  ASSERT_TRUE(second.destination().AwaitAttempts(1));
  EXPECT_EQ(second.destination().attempts()[0], BatchOf({"a", "b", "c", "d"}).Encode().view());
}

// Scenario: the exporter's compression is changed while requests wait.
// Guarantees: they are sent as the exporter says now.
TEST_F(QueueStorageTest, SendsAsItIsToldNow) {
  {
    StoredQueue first(loops_, disk_, net::Compression::kGzip);
    ASSERT_TRUE(first.Start().ok());
    first.destination().AnswerWith(kDown);
    EXPECT_TRUE(first.Consume(BatchOf({"a", "b"})).ok());
    first.queue().Stop(1ms);
  }
  StoredQueue second(loops_, disk_, net::Compression::kNone);
  ASSERT_TRUE(second.Start().ok());
  ASSERT_TRUE(second.destination().AwaitAttempts(1));
  const auto slice = otlp::ReadTraces(Bytes(second.destination().attempts()[0]));
  ASSERT_TRUE(slice.ok()) << slice.status();
  EXPECT_THAT(NamesOf(otlp::Batch(*slice)), ElementsAre("a", "b"));
}

std::vector<std::string> NamesIn(const std::string& message) {
  return NamesOf(otlp::Batch(*otlp::ReadTraces(Bytes(message))));
}

// Scenario: requests are grouped; the process is killed while they wait for others.
// Guarantees: they were on the disk: all are sent by the next one, grouped.
TEST_F(QueueStorageTest, GroupsWhatIsOnTheDisk) {
  StoredQueue first(loops_, disk_, net::Compression::kGzip);
  ASSERT_TRUE(first.Start(QueueBatchOptions{.flush_timeout = 1h}).ok());
  for (const char* name : {"a", "b", "c"}) EXPECT_TRUE(first.Consume(BatchOf({name})).ok());
  EXPECT_THAT(first.destination().attempts(), IsEmpty());
  StoredQueue second(loops_, disk_->AfterKill());
  ASSERT_TRUE(second.Start(QueueBatchOptions{.flush_timeout = 1h, .min_size = 3}).ok());
  ASSERT_TRUE(second.destination().AwaitAttempts(1));
  second.queue().Stop(20s);
  ASSERT_EQ(second.destination().attempts().size(), 1U);
  EXPECT_THAT(NamesIn(second.destination().attempts()[0]), ElementsAre("a", "b", "c"));
  StoredQueue third(loops_, disk_->AfterKill());
  EXPECT_EQ(third.metrics().SumGauges("spanloom_exporter_held_spans"), 0);
}

// Scenario: requests have waited for others for less than an hour; a start.
// Guarantees: they are sent at once, together.
TEST_F(QueueStorageTest, DoesNotWaitOnceMoreAfterAStart) {
  StoredQueue first(loops_, disk_);
  ASSERT_TRUE(first.Start(QueueBatchOptions{.flush_timeout = 1h}).ok());
  for (const char* name : {"a", "b", "c"}) EXPECT_TRUE(first.Consume(BatchOf({name})).ok());
  StoredQueue second(loops_, disk_->AfterKill());
  ASSERT_TRUE(second.Start(QueueBatchOptions{.flush_timeout = 1h}).ok());
  ASSERT_TRUE(second.destination().AwaitAttempts(1));
  EXPECT_THAT(NamesIn(second.destination().attempts()[0]), ElementsAre("a", "b", "c"));
}

// Scenario: a group is cut, one half of a request is delivered, and the process is killed.
// Guarantees: the request is there after the next start; one that is delivered whole is not.
TEST_F(QueueStorageTest, KeepsARequestUntilAllItsGroupsAreDelivered) {
  StoredQueue first(loops_, disk_);
  ASSERT_TRUE(first.Start(QueueBatchOptions{.flush_timeout = 1h, .min_size = 3, .max_size = 3}).ok());
  first.destination().Script(size_t{0});
  first.destination().AnswerWith(kDown);
  EXPECT_TRUE(first.Consume(BatchOf({"a", "b"})).ok());
  EXPECT_TRUE(first.Consume(BatchOf({"c", "d", "e", "f"})).ok());
  ASSERT_TRUE(first.destination().AwaitAttempts(3));
  EXPECT_THAT(NamesIn(first.destination().attempts()[0]), ElementsAre("a", "b", "c"));
  EXPECT_THAT(NamesIn(first.destination().attempts()[1]), ElementsAre("d", "e", "f"));
  first.queue().Stop(1ms);
  StoredQueue second(loops_, disk_->AfterKill());
  ASSERT_TRUE(second.Start().ok());
  ASSERT_TRUE(second.destination().AwaitAttempts(1));
  second.queue().Stop(20s);
  ASSERT_EQ(second.destination().attempts().size(), 1U);
  EXPECT_THAT(NamesIn(second.destination().attempts()[0]), ElementsAre("c", "d", "e", "f"));
}

// Scenario: room is reserved for one batch of two that fit; then given back.
// Guarantees: what does not fit beside it is refused with a delay, and taken later.
TEST_F(QueueStorageTest, KeepsRoomForWhatIsReserved) {
  StoredQueue stored(loops_, disk_);
  ASSERT_TRUE(stored.Start().ok());
  EXPECT_EQ(stored.queue().ack_grade(), AckGrade::kStored);
  stored.destination().Hold();
  std::vector<std::unique_ptr<Admission>> rooms;
  for (int i = 0; i < 1'000; ++i) rooms.push_back(*stored.queue().Reserve(BatchOf({"a"})));
  const Status refused = stored.queue().Reserve(BatchOf({"b", "c"})).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(RetryDelay(refused).has_value());
  EXPECT_EQ(stored.metrics().Sum("otelcol_exporter_enqueue_failed_spans"), 2U);
  rooms.pop_back();
  auto room = stored.queue().Reserve(BatchOf({"b", "c"}));
  ASSERT_TRUE(room.ok());
  Notification there;
  (*room)->Commit(BatchOf({"c"}), [&](const Status& status) {
    EXPECT_TRUE(status.ok());
    there.Notify();
  });
  ASSERT_TRUE(there.WaitFor(kPatience));
  room->reset();
  rooms.clear();
  ASSERT_TRUE(stored.destination().AwaitAttempts(1));
  EXPECT_THAT(NamesIn(stored.destination().attempts()[0]), ElementsAre("c"));
  stored.destination().Release(size_t{0});
}

// Scenario: the extension that is named is not there.
// Guarantees: the start fails and names it.
TEST_F(QueueStorageTest, NamesAStorageThatIsNotThere) {
  MetricRegistry metrics;
  const BuildContext context{.loops = loops_, .metrics = metrics, .clock = Clock::System()};
  SendingQueue queue("otlp_grpc", std::make_shared<RequestEncoder>(net::Compression::kNone), {.storage = "files"}, {},
                     context, loops_.At(0), [](const ExportRequest&, SendDone) {});
  const Status status = queue.Start();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(StdView(status.message()), HasSubstr("\"files\""));
}

}  // namespace
}  // namespace spanloom::pipeline
