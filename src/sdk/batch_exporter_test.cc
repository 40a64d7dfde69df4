// SPDX-License-Identifier: Apache-2.0

#include "sdk/batch_exporter.h"

#include <absl/base/thread_annotations.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "base/mutex.h"
#include "otlp/validate.h"

namespace spanloom::sdk {
namespace {

using namespace std::chrono_literals;

// A destination whose answers a test decides. Thread-safe.
class Destination {
 public:
  SendRequest Sender() {
    return [this](const Bytes& request, SendDone done) { Receive(request, std::move(done)); };
  }

  // The answers of the next requests, in order; then all are taken. A held one is answered by Release.
  void AnswerNext(std::vector<StatusOr<size_t>> answers) {
    MutexLock lock(mutex_);
    answers_ = std::move(answers);
  }
  void Hold() {
    MutexLock lock(mutex_);
    is_held_ = true;
  }
  void Release() {
    SendDone done;
    {
      MutexLock lock(mutex_);
      is_held_ = false;
      done = std::exchange(held_, nullptr);
    }
    if (done) std::move(done)(0);
  }

  bool AwaitRequests(size_t count) {
    MutexLock lock(mutex_);
    return mutex_.AwaitFor([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return sizes_.size() >= count; }, 20s);
  }
  std::vector<size_t> sizes() {
    MutexLock lock(mutex_);
    return sizes_;
  }

 private:
  void Receive(const Bytes& request, SendDone done) {
    StatusOr<size_t> answer = size_t{0};
    {
      MutexLock lock(mutex_);
      sizes_.push_back(otlp::ValidateTraces(request.view())->spans);
      if (is_held_) return void(held_ = std::move(done));
      if (!answers_.empty()) {
        answer = answers_.front();
        answers_.erase(answers_.begin());
      }
    }
    std::move(done)(std::move(answer));
  }

  Mutex mutex_;
  std::vector<StatusOr<size_t>> answers_ ABSL_GUARDED_BY(mutex_);
  std::vector<size_t> sizes_ ABSL_GUARDED_BY(mutex_);  // spans of each request
  SendDone held_ ABSL_GUARDED_BY(mutex_);
  bool is_held_ ABSL_GUARDED_BY(mutex_) = false;
};

class BatchExporterTest : public testing::Test {
 protected:
  std::unique_ptr<BatchExporter> Make(const BatchExporterOptions& options) {
    return std::make_unique<BatchExporter>(options, "", std::vector<std::string>{""}, loops_.At(0), Clock::System(),
                                           metrics_, Rng(1), destination_.Sender());
  }
  static void Fill(BatchExporter& exporter, size_t spans) {
    for (size_t i = 0; i < spans; ++i) {
      auto span = std::make_unique<SpanRecord>();
      span->context = *ParseTraceParent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
      exporter.Take(std::move(span));
    }
  }
  uint64_t Dropped(const std::string& cause) { return metrics_.Sum("spanloom_own_spans_dropped", {{"cause", cause}}); }
  uint64_t Exported() { return metrics_.Sum("spanloom_own_spans_exported"); }

  MetricRegistry metrics_;
  Destination destination_;
  net::LoopPool loops_{1};
};

// Scenario: a batch is full, long before its time.
// Guarantees: it goes at once, the rest waits; a stop sends the rest.
TEST_F(BatchExporterTest, SendsAFullBatchAtOnce) {
  const auto exporter = Make({.batch_spans_max = 3, .delay = 1h});
  Fill(*exporter, 4);
  ASSERT_TRUE(destination_.AwaitRequests(1));
  exporter->Stop(20s);
  EXPECT_EQ(destination_.sizes(), (std::vector<size_t>{3, 1}));
  EXPECT_EQ(Exported(), 4u);
}

// Scenario: fewer spans than a batch.
// Guarantees: they go when their time is up.
TEST_F(BatchExporterTest, SendsWhenTheTimeIsUp) {
  const auto exporter = Make({.delay = 1ms});
  Fill(*exporter, 2);
  EXPECT_TRUE(destination_.AwaitRequests(1));
}

// Scenario: a flush, and a span after it.
// Guarantees: both are sent without waiting for their time.
TEST_F(BatchExporterTest, SendsAtOnceFromAFlushOn) {
  const auto exporter = Make({.delay = 1h});
  Fill(*exporter, 2);
  exporter->Flush(20s);
  EXPECT_EQ(Exported(), 2u);
  Fill(*exporter, 1);
  EXPECT_TRUE(destination_.AwaitRequests(2));
  exporter->Stop(20s);
  EXPECT_EQ(Exported(), 3u);
}

// Scenario: the destination does not answer while more spans come than the queue takes.
// Guarantees: the surplus is counted as full, and nothing else is lost.
TEST_F(BatchExporterTest, CountsWhatTheQueueCannotTake) {
  const auto exporter = Make({.queue_spans_max = 5, .batch_spans_max = 2, .delay = 1h});
  destination_.Hold();
  Fill(*exporter, 2);
  ASSERT_TRUE(destination_.AwaitRequests(1));
  Fill(*exporter, 8);
  EXPECT_EQ(Dropped("full"), 3u);
  destination_.Release();
  exporter->Stop(20s);
  EXPECT_EQ(Exported(), 7u);
}

// Scenario: two failures for the moment that say when to come back; then an answer.
// Guarantees: the same request is sent again, and delivered once.
TEST_F(BatchExporterTest, SendsAgainWhatFailedForTheMoment) {
  const Status busy = WithRetryDelay(absl::UnavailableError("busy"), 1ms);
  destination_.AnswerNext({busy, busy});
  const auto exporter = Make({.batch_spans_max = 2, .delay = 1h});
  Fill(*exporter, 2);
  ASSERT_TRUE(destination_.AwaitRequests(3));
  exporter->Stop(20s);
  EXPECT_EQ(destination_.sizes(), (std::vector<size_t>{2, 2, 2}));
  EXPECT_EQ(Exported(), 2u);
}

// Scenario: a refusal for good, a partial success, and a destination that is away for longer than it is tried.
// Guarantees: each loss is counted by its cause, and what follows is sent all the same.
TEST_F(BatchExporterTest, CountsLossesByCause) {
  destination_.AnswerNext({absl::InvalidArgumentError("bad"), size_t{1}, absl::UnavailableError("away")});
  const auto exporter = Make({.batch_spans_max = 2, .delay = 1h, .retry_max = 0s});
  Fill(*exporter, 8);
  exporter->Stop(20s);
  EXPECT_EQ(Dropped("refused"), 3u);
  EXPECT_EQ(Dropped("unreachable"), 2u);
  EXPECT_EQ(Exported(), 3u);
}

// Scenario: a stop whose grace ends while a request is unanswered and others wait; then a late span and answer.
// Guarantees: all of them are counted as lost at shutdown, and nothing is counted twice.
TEST_F(BatchExporterTest, CountsWhatAStopLeavesBehind) {
  const auto exporter = Make({.batch_spans_max = 2, .delay = 1h});
  destination_.Hold();
  Fill(*exporter, 5);
  ASSERT_TRUE(destination_.AwaitRequests(1));
  exporter->Stop(0ms);
  EXPECT_EQ(Dropped("shutdown"), 5u);
  Fill(*exporter, 1);
  destination_.Release();
  exporter->Stop(20s);
  EXPECT_EQ(Dropped("shutdown"), 6u);
  EXPECT_EQ(Exported(), 0u);
}

}  // namespace
}  // namespace spanloom::sdk
