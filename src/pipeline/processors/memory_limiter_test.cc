// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/memory_limiter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "config/yaml.h"
#include "pipeline/stage.h"
#include "pipeline/testing/fake_consumer.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr uint64_t kMebibyte = 1 << 20;

class MemoryLimiterTest : public testing::Test {
 protected:
  MemoryLimiterProcessor Make(const MemoryLimiterOptions& options) {
    return MemoryLimiterProcessor(ComponentId{"memory_limiter", "one"}, options, context_,
                                  {.usable_bytes = []() -> StatusOr<uint64_t> { return 1000 * kMebibyte; },
                                   .resident_bytes = [this]() -> std::optional<uint64_t> {
                                     if (++measurements_ == 3 && !measured_thrice_.HasBeenNotified())
                                       measured_thrice_.Notify();
                                     return mebibytes_.load() * kMebibyte;
                                   },
                                   .give_back = [] {}});
  }
  uint64_t Count(const char* name) const {
    return metrics_.Sum(std::string("otelcol_processor_memory_limiter_") + name, {{"processor", "memory_limiter/one"}});
  }

  std::atomic<uint64_t> mebibytes_ = 0;
  std::atomic<int> measurements_ = 0;
  Notification measured_thrice_;
  net::LoopPool loops_{1};
  MetricRegistry metrics_;
  const BuildContext context_{.loops = loops_, .metrics = metrics_, .clock = Clock::System()};
};

// Scenario: a process that starts with more memory than the soft limit.
// Guarantees: what is offered is refused so that it may be sent again after the next check, and counted.
TEST_F(MemoryLimiterTest, RefusesAboveTheSoftLimit) {
  mebibytes_ = 81;
  MemoryLimiterProcessor limiter = Make({.check_interval = 1h, .limit_mib = 100});
  ASSERT_TRUE(limiter.Start().ok());
  FakeConsumer next;
  Stage stage("memory_limiter/one", "traces", limiter, next, metrics_);
  const Status answer = Deliver(stage, BatchOf({"a", "b"}));
  EXPECT_EQ(answer.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(answer.message(), "data refused due to high memory usage");
  EXPECT_EQ(RetryDelay(answer), 1h);
  EXPECT_EQ(stage.Reserve(BatchOf({"c"})).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(next.offers(), 0u);
  EXPECT_EQ(Count("refused_spans"), 3u);
  EXPECT_EQ(Count("accepted_spans"), 0u);
  limiter.Stop(0ms);
}

TEST_F(MemoryLimiterTest, PassesOnBelowIt) {
  mebibytes_ = 79;
  MemoryLimiterProcessor limiter = Make({.check_interval = 1h, .limit_mib = 100});
  ASSERT_TRUE(limiter.Start().ok());
  FakeConsumer next;
  Stage stage("memory_limiter/one", "traces", limiter, next, metrics_);
  EXPECT_TRUE(Deliver(stage, BatchOf({"a", "b"})).ok());
  EXPECT_EQ(Count("accepted_spans"), 2u);
  EXPECT_EQ(Count("refused_spans"), 0u);
  limiter.Stop(0ms);
}

// Scenario: a short interval.
// Guarantees: memory is measured again and again, until Stop.
TEST_F(MemoryLimiterTest, MeasuresUntilItIsStopped) {
  MemoryLimiterProcessor limiter = Make({.check_interval = 1ms, .limit_mib = 100});
  ASSERT_TRUE(limiter.Start().ok());
  EXPECT_TRUE(measured_thrice_.WaitFor(kPatience));
  limiter.Stop(0ms);
}

TEST_F(MemoryLimiterTest, DoesNotStartBlind) {
  MemoryLimiterProcessor limiter(ComponentId{"memory_limiter", ""}, {.check_interval = 1h, .limit_percentage = 80},
                                 context_,
                                 {.usable_bytes = [] { return absl::UnavailableError("no cgroup"); },
                                  .resident_bytes = [] { return std::optional<uint64_t>(0); },
                                  .give_back = [] {}});
  EXPECT_EQ(limiter.Start().code(), absl::StatusCode::kUnavailable);
  MemoryLimiterProcessor blind(
      ComponentId{"memory_limiter", ""}, {.check_interval = 1h, .limit_mib = 80}, context_,
      {.usable_bytes = [] { return 1; }, .resident_bytes = [] { return std::nullopt; }, .give_back = [] {}});
  EXPECT_EQ(blind.Start().code(), absl::StatusCode::kUnavailable);
}

TEST(MemoryLimiterOptions, MakesLimitsOfMebibytesOrPercentages) {
  const auto limits = [](const MemoryLimiterOptions& options) {
    const MemoryWatchOptions watch = WatchOptionsOf(options, 1000 * kMebibyte);
    return std::pair(watch.soft_bytes / kMebibyte, watch.hard_bytes / kMebibyte);
  };
  EXPECT_EQ(limits({.limit_mib = 100}), std::pair(80ul, 100ul));
  EXPECT_EQ(limits({.limit_mib = 4000, .spike_limit_mib = 500}), std::pair(3500ul, 4000ul));
  EXPECT_EQ(limits({.limit_percentage = 80, .spike_limit_percentage = 25}), std::pair(550ul, 800ul));
  EXPECT_EQ(limits({.limit_percentage = 50}), std::pair(400ul, 500ul));
  EXPECT_EQ(limits({.limit_mib = 100, .limit_percentage = 50, .spike_limit_percentage = 10}), std::pair(80ul, 100ul));
}

std::vector<std::string> ProblemsOf(const std::string& yaml) {
  config::Problems problems;
  config::ReadOptions<MemoryLimiterOptions>(*config::ParseYaml(yaml, "f"), "processors::memory_limiter", problems);
  return problems.lines();
}

// The texts are the Collector's, which people search for.
TEST(MemoryLimiterOptions, RefusesWhatTheCollectorRefuses) {
  EXPECT_THAT(ProblemsOf("{check_interval: 5s, limit_percentage: 80, spike_limit_percentage: 25}"), IsEmpty());
  EXPECT_THAT(ProblemsOf("limit_mib: 100"), ElementsAre(HasSubstr("'check_interval' must be greater than zero")));
  EXPECT_THAT(ProblemsOf("check_interval: 1s"),
              ElementsAre(HasSubstr("'limit_mib' or 'limit_percentage' must be greater than zero")));
  EXPECT_THAT(ProblemsOf("{check_interval: 1s, limit_mib: 100, spike_limit_mib: 100}"),
              ElementsAre(HasSubstr("'spike_limit_mib' must be smaller than 'limit_mib'")));
  EXPECT_THAT(ProblemsOf("{check_interval: 1s, limit_percentage: 101}"),
              ElementsAre(HasSubstr("less than or equal to hundred")));
  EXPECT_THAT(ProblemsOf("{check_interval: 1s, limit_percentage: 50, spike_limit_percentage: 50}"),
              ElementsAre(HasSubstr("'spike_limit_percentage' must be smaller than 'limit_percentage'")));
  EXPECT_THAT(ProblemsOf("{check_interval: 1s, limit_mib: 1, min_gc_interval_when_hard_limited: 1m}"),
              ElementsAre(HasSubstr("should be larger than 'min_gc_interval_when_hard_limited'")));
  EXPECT_THAT(ProblemsOf("{check_interval: 1s, limit_mib: 1, max_gc_interval_when_soft_limited: 5s}"),
              ElementsAre(HasSubstr("each 'max_gc_interval' must be at least")));
  EXPECT_THAT(ProblemsOf("{check_interval: 1s, limit_mib: 1, max_gc_interval_when_soft_limited: 0s}"), IsEmpty());
}

}  // namespace
}  // namespace spanloom::pipeline
