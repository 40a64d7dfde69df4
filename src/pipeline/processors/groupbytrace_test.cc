// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/groupbytrace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "config/yaml.h"
#include "pipeline/testing/fake_consumer.h"
#include "pipeline/testing/traces.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// Time goes on when the test says so; the processor looks every millisecond what time it is.
class GroupByTraceTest : public testing::Test {
 protected:
  TraceHolder& Make(const GroupByTraceOptions& options, TraceHolderLimits limits = {}) {
    limits.tick = 1ms;
    processor_ = MakeGroupByTrace(ComponentId{"groupbytrace", ""}, options, context_, next_, limits);
    EXPECT_TRUE(processor_->Start().ok());
    return *processor_;
  }
  void Pass(std::chrono::nanoseconds time) { clock_.Advance(time.count()); }
  uint64_t Dropped(const std::string& cause) const {
    return metrics_.Sum("spanloom_pipeline_dropped_spans", {{"processor", "groupbytrace"}, {"cause", cause}});
  }
  uint64_t Counted(const std::string& name) const { return metrics_.Sum("otelcol_processor_groupbytrace_" + name); }
  double Held() const { return metrics_.SumGauges("spanloom_processor_held_spans"); }

  net::LoopPool loops_{1};
  MetricRegistry metrics_;
  SimClock clock_;
  const BuildContext context_{.loops = loops_, .metrics = metrics_, .clock = clock_};
  FakeConsumer next_;
  std::unique_ptr<TraceHolder> processor_;
};

// Scenario: two traces whose spans come in three requests.
// Guarantees: each goes on whole, when its first span has waited; what was held is counted.
TEST_F(GroupByTraceTest, PassesTracesOnTogether) {
  TraceHolder& group = Make({.wait_duration = 1s});
  EXPECT_TRUE(Deliver(group, TracesOf({{1, "a"}, {2, "x"}})).ok());
  Pass(500ms);
  EXPECT_TRUE(Deliver(group, TracesOf({{2, "y"}, {1, "b"}})).ok());
  EXPECT_TRUE(Deliver(group, TracesOf({{1, "c"}})).ok());
  EXPECT_THAT(next_.names(), IsEmpty());
  EXPECT_EQ(Held(), 5);
  EXPECT_EQ(metrics_.SumGauges("otelcol_processor_groupbytrace_num_traces_in_memory"), 2);
  Pass(600ms);
  ASSERT_TRUE(next_.AwaitSpans(5));
  EXPECT_THAT(next_.names(), ElementsAre("a", "b", "c", "x", "y"));
  EXPECT_EQ(Counted("traces_released"), 2u);
  EXPECT_EQ(Counted("spans_released"), 5u);
}

// Scenario: a third trace where two may be held.
// Guarantees: the oldest is given up and counted, the others go on.
TEST_F(GroupByTraceTest, GivesUpTheOldestTrace) {
  TraceHolder& group = Make({.wait_duration = 1s, .num_traces = 2});
  EXPECT_TRUE(Deliver(group, TracesOf({{1, "a"}, {1, "b"}})).ok());
  EXPECT_TRUE(Deliver(group, TracesOf({{2, "c"}})).ok());
  EXPECT_TRUE(Deliver(group, TracesOf({{3, "d"}})).ok());
  EXPECT_EQ(Counted("traces_evicted"), 1u);
  EXPECT_EQ(Dropped("ResourceExhausted"), 2u);
  Pass(2s);
  ASSERT_TRUE(next_.AwaitSpans(2));
  EXPECT_THAT(next_.names(), ElementsAre("c", "d"));
}

// Scenario: more bytes than may be held.
// Guarantees: the oldest traces go on before their time; nothing is lost.
TEST_F(GroupByTraceTest, LetsTheOldestGoForMemory) {
  TraceHolder& group = Make({.wait_duration = 1h}, {.held_bytes_max = 1'500});
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(Deliver(group, TracesOf({{static_cast<uint8_t>(i), std::to_string(i)}})).ok());
  }
  ASSERT_TRUE(next_.AwaitSpans(5));
  EXPECT_EQ(next_.names()[0], "0");
  group.Stop(20s);
  EXPECT_EQ(next_.names().size(), 20u);
}

// Scenario: what is behind takes nothing, and then does.
// Guarantees: what was released waits; when that is too much, senders are told to come again; nothing is lost.
TEST_F(GroupByTraceTest, RefusesWhatTheExporterDoesNotTake) {
  TraceHolder& group = Make({.wait_duration = 1s}, {.released_bytes_max = 1});
  next_.Hold();
  EXPECT_TRUE(Deliver(group, TracesOf({{1, "a"}})).ok());
  Pass(2s);
  ASSERT_TRUE(next_.AwaitOffers(1));
  const Status refused = Deliver(group, TracesOf({{2, "b"}}));
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(RetryDelay(refused).has_value());
  next_.Release(absl::OkStatus());
  ASSERT_TRUE(next_.AwaitSpans(1));
  while (!Deliver(group, TracesOf({{2, "b"}})).ok()) std::this_thread::yield();
  Pass(2s);
  ASSERT_TRUE(next_.AwaitSpans(2));
}

// Scenario: what is behind refuses once for the moment, once for good.
// Guarantees: the first is offered again, the second is dropped and counted.
TEST_F(GroupByTraceTest, OffersAgainOrDrops) {
  TraceHolder& group = Make({.wait_duration = 1s});
  next_.Script(WithRetryDelay(absl::UnavailableError("full"), 1ms));
  EXPECT_TRUE(Deliver(group, TracesOf({{1, "a"}})).ok());
  Pass(2s);
  ASSERT_TRUE(next_.AwaitSpans(1));
  next_.Script(absl::InvalidArgumentError("bad"));
  EXPECT_TRUE(Deliver(group, TracesOf({{2, "b"}})).ok());
  Pass(2s);
  ASSERT_TRUE(next_.AwaitOffers(3));
  group.Stop(20s);
  EXPECT_EQ(Dropped("InvalidArgument"), 1u);
  EXPECT_EQ(group.undelivered_spans(), 0u);
  EXPECT_EQ(Held(), 0);
}

// Scenario: a stop while traces wait.
// Guarantees: they are passed on at once; what comes afterwards is refused.
TEST_F(GroupByTraceTest, StopPassesOnWhatItHolds) {
  TraceHolder& group = Make({.wait_duration = 1h}, {.piece_spans = 1});
  EXPECT_TRUE(Deliver(group, TracesOf({{1, "a"}, {2, "b"}, {3, "c"}})).ok());
  group.Stop(20s);
  EXPECT_THAT(next_.names(), UnorderedElementsAre("a", "b", "c"));
  EXPECT_EQ(group.undelivered_spans(), 0u);
  EXPECT_EQ(Deliver(group, TracesOf({{4, "d"}})).code(), absl::StatusCode::kUnavailable);
}

// Scenario: a stop while what is behind takes nothing, ended by a hurry.
// Guarantees: what is given up is counted exactly.
TEST_F(GroupByTraceTest, StopCountsWhatItGivesUp) {
  TraceHolder& group = Make({.wait_duration = 1h});
  next_.AnswerWith(WithRetryDelay(absl::UnavailableError("down"), 1h));
  EXPECT_TRUE(Deliver(group, TracesOf({{1, "a"}, {2, "b"}})).ok());
  std::thread stopper([&] { group.Stop(1h); });
  EXPECT_TRUE(next_.AwaitOffers(1));
  group.HurryStop();
  stopper.join();
  EXPECT_EQ(group.undelivered_spans(), 2u);
  EXPECT_EQ(Dropped("shutdown"), 2u);
  EXPECT_EQ(Held(), 0);
}

// Guarantees: what the Collector has not built is refused as it refuses it, and may be off.
TEST(GroupByTraceOptions, RefusesWhatIsNotBuilt) {
  const auto problems_of = [](const char* yaml) {
    config::Problems problems;
    config::ReadOptions<GroupByTraceOptions>(*config::ParseYaml(yaml, "f"), "processors::groupbytrace", problems);
    return problems.lines();
  };
  EXPECT_THAT(problems_of("{discard_orphans: false, store_on_disk: false, num_workers: 8}"), IsEmpty());
  EXPECT_THAT(problems_of("discard_orphans: true"), ElementsAre(HasSubstr("not supported")));
  EXPECT_THAT(problems_of("store_on_disk: true"), ElementsAre(HasSubstr("not supported")));
}

}  // namespace
}  // namespace spanloom::pipeline
