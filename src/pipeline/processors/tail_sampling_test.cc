// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/tail_sampling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "config/yaml.h"
#include "pipeline/testing/fake_consumer.h"
#include "pipeline/testing/traces.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;
using otlp::StatusCode;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const std::string kErrors = "{name: errors, type: status_code, status_code: {status_codes: [ERROR]}}";
const std::string kTwoSpans = "{name: pairs, type: span_count, span_count: {min_spans: 2}}";
const std::string kNoHealth =
    "{name: health, type: drop, drop: {drop_sub_policy: [{name: h, type: string_attribute, string_attribute: {key: "
    "url, "
    "values: [/health]}}]}}";

// Time goes on when the test says so; the processor looks every millisecond what time it is.
class TailSamplingTest : public testing::Test {
 protected:
  TraceHolder& Make(const std::string& yaml, TraceHolderLimits limits = {}, const std::string& name = "") {
    config::Problems problems;
    const auto options = config::ReadOptions<TailSamplingOptions>(*config::ParseYaml(yaml, "f"), "p", problems);
    EXPECT_THAT(problems.lines(), IsEmpty());
    limits.tick = 1ms;
    processor_ = MakeTailSampling(ComponentId{"tail_sampling", name}, options, context_, next_, limits);
    EXPECT_TRUE(processor_->Start().ok());
    return *processor_;
  }
  static Status Give(TraceHolder& sampler, const std::vector<SpanSketch>& spans) {
    return Deliver(sampler, RequestOf(spans));
  }
  void Pass(std::chrono::nanoseconds time) { clock_.Advance(time.count()); }
  // Waits until nothing is due and nothing under way.
  void AwaitDecisions(uint64_t count) {
    while (Counted("global_count_traces_sampled") < count) std::this_thread::yield();
  }

  uint64_t Counted(const std::string& name, const MetricLabels& labels = {}) const {
    return metrics_.Sum("otelcol_processor_tail_sampling_" + name, labels);
  }
  uint64_t Dropped(const std::string& cause) const {
    return metrics_.Sum("spanloom_pipeline_dropped_spans", {{"cause", cause}});
  }
  uint64_t Filtered() const {
    return metrics_.Sum("spanloom_pipeline_filtered_spans", {{"processor", "tail_sampling"}, {"pipeline", "traces"}});
  }
  double OnMemory() const { return metrics_.SumGauges("otelcol_processor_tail_sampling_sampling_traces_on_memory"); }
  double Held() const { return metrics_.SumGauges("spanloom_processor_held_spans"); }

  net::LoopPool loops_{1};
  MetricRegistry metrics_;
  SimClock clock_;
  const BuildContext context_{.loops = loops_, .metrics = metrics_, .clock = clock_, .pipeline = "traces"};
  FakeConsumer next_;
  std::unique_ptr<TraceHolder> processor_;
};

// Scenario: two traces in two requests; one has an error, in a span that comes last.
// Guarantees: after decision_wait all spans of that one go on, the other's count as filtered; each policy is counted.
TEST_F(TailSamplingTest, DecidesAboutWholeTraces) {
  TraceHolder& sampler = Make("{decision_wait: 30s, policies: [" + kErrors + ", " + kTwoSpans + "]}");
  EXPECT_TRUE(sampler.selects());
  EXPECT_TRUE(Give(sampler, {{.trace = 1, .name = "a"}, {.trace = 2, .name = "x"}}).ok());
  Pass(10s);
  EXPECT_TRUE(Give(sampler, {{.trace = 1, .name = "b", .status = StatusCode::kError}}).ok());
  EXPECT_EQ(Held(), 3);
  EXPECT_EQ(OnMemory(), 2);
  Pass(19s);
  EXPECT_THAT(next_.names(), IsEmpty());
  Pass(2s);
  ASSERT_TRUE(next_.AwaitSpans(2));
  AwaitDecisions(2);
  EXPECT_THAT(next_.names(), ElementsAre("a", "b"));
  EXPECT_EQ(Filtered(), 1u);
  EXPECT_EQ(Counted("new_trace_id_received"), 2u);
  const MetricLabels sampled = {{"policy", "errors"}, {"sampled", "true"}, {"decision", "sampled"}};
  EXPECT_EQ(Counted("count_traces_sampled", sampled), 1u);
  EXPECT_EQ(Counted("count_spans_sampled", sampled), 2u);
  EXPECT_GT(Counted("count_bytes_sampled", sampled), 0u);
  EXPECT_EQ(Counted("count_traces_sampled", {{"policy", "pairs"}, {"decision", "not_sampled"}}), 1u);
  EXPECT_EQ(Counted("sampling_policy_execution_count"), 4u);
  EXPECT_EQ(Counted("global_count_traces_sampled", {{"decision", "sampled"}}), 1u);
}

// Scenario: a policy that drops stands behind one that samples; another run stops at the first that samples.
// Guarantees: who drops is asked first and has the last word; nobody is asked after the first that samples.
TEST_F(TailSamplingTest, DropsBeforeItSamples) {
  TraceHolder& sampler = Make("{decision_wait: 1s, policies: [" + kErrors + ", " + kNoHealth + "]}", {}, "named");
  EXPECT_TRUE(Give(sampler, {{.trace = 1, .status = StatusCode::kError, .texts = {{"url", "/health"}}}}).ok());
  EXPECT_TRUE(Give(sampler, {{.trace = 2, .name = "kept", .status = StatusCode::kError}}).ok());
  Pass(2s);
  AwaitDecisions(2);
  ASSERT_TRUE(next_.AwaitSpans(1));
  EXPECT_THAT(next_.names(), ElementsAre("kept"));
  EXPECT_EQ(Counted("global_count_traces_sampled", {{"decision", "dropped"}, {"sampled", "false"}}), 1u);
  EXPECT_EQ(Counted("count_traces_sampled", {{"policy", "named.errors"}}), 1u) << "not asked about what is dropped";
}

TEST_F(TailSamplingTest, StopsAtTheFirstThatSamplesIfToldSo) {
  TraceHolder& sampler =
      Make("{decision_wait: 1s, sample_on_first_match: true, policies: [" + kErrors + ", " + kTwoSpans + "]}");
  EXPECT_TRUE(Give(sampler, {{.status = StatusCode::kError}}).ok());
  Pass(2s);
  ASSERT_TRUE(next_.AwaitSpans(1));
  EXPECT_EQ(Counted("sampling_policy_execution_count", {{"policy", "pairs"}}), 0u);
}

// Scenario: a policy fails.
// Guarantees: it is counted, and the others decide.
TEST_F(TailSamplingTest, GoesOnWithoutAPolicyThatFails) {
  TraceHolder& sampler = Make(
      R"({decision_wait: 1s, policies: [{name: bad, type: ottl_condition, ottl_condition: {error_mode: propagate, span: ['Substring(name, 0, 9) == "x"']}}, )" +
      kErrors + "]}");
  EXPECT_TRUE(Give(sampler, {{.name = "a", .status = StatusCode::kError}}).ok());
  Pass(2s);
  ASSERT_TRUE(next_.AwaitSpans(1));
  EXPECT_EQ(Counted("sampling_policy_evaluation_error"), 1u);
}

// Scenario: spans come after the decision about their trace: with no cache, and with one that outlives the trace.
// Guarantees: they follow the decision at once, and are counted as the Collector does.
TEST_F(TailSamplingTest, LateSpansFollowTheDecision) {
  size_t passed_on = 0;
  for (const std::string cache : {"", "decision_cache: {sampled_cache_size: 10, non_sampled_cache_size: 10}, "}) {
    TraceHolder& sampler = Make("{decision_wait: 1s, " + cache + "policies: [" + kErrors + "]}");
    const uint64_t decided = Counted("global_count_traces_sampled");
    EXPECT_TRUE(Give(sampler, {{.trace = 1, .name = "a", .status = StatusCode::kError}, {.trace = 2}}).ok());
    Pass(2s);
    AwaitDecisions(decided + 2);
    EXPECT_EQ(OnMemory(), cache.empty() ? 2 : 0);
    const uint64_t filtered = Filtered();
    EXPECT_TRUE(
        Give(sampler, {{.trace = 1, .name = "late"}, {.trace = 2, .name = "no", .status = StatusCode::kError}}).ok());
    ASSERT_TRUE(next_.AwaitSpans(passed_on += 2));
    EXPECT_EQ(next_.names().back(), "late");
    EXPECT_EQ(Filtered(), filtered + 1);
    EXPECT_EQ(Counted("global_count_traces_sampled"), decided + 2);
  }
  EXPECT_EQ(Counted("early_releases_from_cache_decision", {{"sampled", "true"}}), 1u);
  EXPECT_EQ(Counted("early_releases_from_cache_decision", {{"sampled", "false"}}), 1u);
}

// Scenario: more traces than num_traces: first decisions are remembered, then all wait.
// Guarantees: the oldest decision is forgotten first; then the oldest trace that waits is dropped, and counted.
TEST_F(TailSamplingTest, DropsTheOldestTraceThatWaits) {
  TraceHolder& sampler = Make("{decision_wait: 1s, num_traces: 2, policies: [{name: all, type: always_sample}]}");
  EXPECT_TRUE(Give(sampler, {{.trace = 1, .name = "a"}}).ok());
  Pass(2s);
  ASSERT_TRUE(next_.AwaitSpans(1));
  EXPECT_TRUE(Give(sampler, {{.trace = 2, .name = "b"}, {.trace = 2, .name = "c"}}).ok());
  EXPECT_TRUE(Give(sampler, {{.trace = 3, .name = "d"}}).ok());
  EXPECT_EQ(Counted("sampling_trace_dropped_too_early"), 0u);
  EXPECT_TRUE(Give(sampler, {{.trace = 4, .name = "e"}}).ok());
  EXPECT_EQ(Counted("sampling_trace_dropped_too_early"), 1u);
  EXPECT_EQ(Dropped("ResourceExhausted"), 2u);
  Pass(2s);
  ASSERT_TRUE(next_.AwaitSpans(3));
  EXPECT_THAT(next_.names(), UnorderedElementsAre("a", "d", "e"));
}

// Scenario: the same with block_on_overflow.
// Guarantees: the sender of a new trace is told to come again; spans of known traces are taken, and it is taken later.
TEST_F(TailSamplingTest, HasSendersWaitIfToldSo) {
  TraceHolder& sampler =
      Make("{decision_wait: 1s, num_traces: 2, block_on_overflow: true, policies: [{name: all, type: always_sample}]}");
  EXPECT_TRUE(Give(sampler, {{.trace = 1}, {.trace = 2}}).ok());
  const Status refused = Give(sampler, {{.trace = 1}, {.trace = 3}});
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(RetryDelay(refused).has_value());
  EXPECT_EQ(Held(), 2);
  EXPECT_TRUE(Give(sampler, {{.trace = 1}, {.trace = 2}}).ok());
  Pass(2s);
  ASSERT_TRUE(next_.AwaitSpans(4));
  EXPECT_TRUE(Give(sampler, {{.trace = 3}}).ok());
  EXPECT_EQ(Counted("sampling_trace_dropped_too_early"), 0u);
}

// Scenario: the root of one trace comes.
// Guarantees: that one is decided about soon, the other after decision_wait.
TEST_F(TailSamplingTest, DecidesSoonerAfterTheRoot) {
  TraceHolder& sampler =
      Make("{decision_wait: 30s, decision_wait_after_root_received: 5s, policies: [{name: all, type: always_sample}]}");
  EXPECT_TRUE(Give(sampler, {{.trace = 1, .name = "a"}, {.trace = 2, .name = "b"}}).ok());
  EXPECT_TRUE(Give(sampler, {{.trace = 2, .name = "root", .is_root = true}}).ok());
  Pass(6s);
  ASSERT_TRUE(next_.AwaitSpans(2));
  EXPECT_THAT(next_.names(), ElementsAre("b", "root"));
  Pass(25s);
  ASSERT_TRUE(next_.AwaitSpans(3));
}

// Scenario: a trace grows beyond maximum_trace_size_bytes.
// Guarantees: it is dropped at once, counted by cause, and its late spans with it.
TEST_F(TailSamplingTest, DropsWhatIsTooLarge) {
  TraceHolder& sampler =
      Make("{decision_wait: 1s, maximum_trace_size_bytes: 1000, policies: [{name: all, type: always_sample}]}");
  EXPECT_TRUE(Give(sampler, {{.trace = 1, .texts = {{"prompt", std::string(600, 'x')}}}}).ok());
  EXPECT_TRUE(Give(sampler, {{.trace = 1, .texts = {{"prompt", std::string(600, 'x')}}}, {.trace = 2}}).ok());
  EXPECT_EQ(Counted("traces_dropped_too_large"), 1u);
  EXPECT_EQ(Dropped("too_large"), 2u);
  EXPECT_TRUE(Give(sampler, {{.trace = 1}}).ok());
  EXPECT_EQ(Filtered(), 1u);
  Pass(2s);
  ASSERT_TRUE(next_.AwaitSpans(1));
  EXPECT_EQ(Counted("sampling_trace_dropped_too_early"), 0u);
}

// Scenario: span-ingest; a trace with an error, one that is to be dropped, one of which nothing is said.
// Guarantees: the first goes on when the error comes, with what came before; the others do not, the last one when its
// time is over.
TEST_F(TailSamplingTest, DecidesOnIngest) {
  TraceHolder& sampler =
      Make("{decision_wait: 10s, sampling_strategy: span-ingest, policies: [" + kErrors + ", " + kNoHealth + "]}");
  EXPECT_TRUE(Give(sampler, {{.trace = 2, .status = StatusCode::kError, .texts = {{"url", "/health"}}}}).ok());
  EXPECT_EQ(Counted("global_count_traces_sampled", {{"decision", "dropped"}}), 1u);
  EXPECT_TRUE(Give(sampler, {{.trace = 1, .status = StatusCode::kError}}).ok());
  Pass(11s);
  AwaitDecisions(2);
  EXPECT_THAT(next_.names(), IsEmpty()) << "it may be dropped until its time is over";
  TraceHolder& plain = Make("{decision_wait: 10s, sampling_strategy: span-ingest, policies: [" + kErrors + "]}");
  EXPECT_TRUE(Give(plain, {{.trace = 1, .name = "a"}, {.trace = 3}}).ok());
  EXPECT_TRUE(Give(plain, {{.trace = 1, .name = "b", .status = StatusCode::kError}}).ok());
  ASSERT_TRUE(next_.AwaitSpans(2));
  EXPECT_TRUE(Give(plain, {{.trace = 1, .name = "c"}}).ok());
  ASSERT_TRUE(next_.AwaitSpans(3));
  EXPECT_THAT(next_.names(), ElementsAre("a", "b", "c"));
  Pass(11s);
  AwaitDecisions(4);
  EXPECT_EQ(Filtered(), 3u);
}

// Scenario: span-ingest; an error comes when the time of its trace is over, without and with a cache of decisions.
// Guarantees: without, it is the first span of a trace anew, as in the Collector; with, it follows the decision.
TEST_F(TailSamplingTest, ForgetsWhatNobodySampledOnIngest) {
  size_t passed_on = 0;
  for (const std::string cache : {"", "decision_cache: {non_sampled_cache_size: 10}, "}) {
    TraceHolder& sampler =
        Make("{decision_wait: 10s, sampling_strategy: span-ingest, " + cache + "policies: [" + kErrors + "]}");
    const uint64_t decided = Counted("global_count_traces_sampled");
    EXPECT_TRUE(Give(sampler, {{.trace = 1, .name = "a"}}).ok());
    Pass(11s);
    AwaitDecisions(decided + 1);
    EXPECT_EQ(OnMemory(), 0);
    EXPECT_TRUE(Give(sampler, {{.trace = 1, .name = "b", .status = StatusCode::kError}}).ok());
    if (cache.empty()) ++passed_on;
    ASSERT_TRUE(next_.AwaitSpans(passed_on));
  }
  EXPECT_THAT(next_.names(), ElementsAre("b"));
}

// Scenario: a stop while traces wait.
// Guarantees: they are decided about as they are; or dropped with a cause, and said to be undelivered.
TEST_F(TailSamplingTest, DecidesAtAStop) {
  TraceHolder& sampler = Make("{policies: [" + kErrors + "]}", {.piece_spans = 1});
  EXPECT_TRUE(
      Give(sampler, {{.trace = 1, .name = "a", .status = StatusCode::kError}, {.trace = 2}, {.trace = 3}}).ok());
  sampler.Stop(20s);
  EXPECT_THAT(next_.names(), ElementsAre("a"));
  EXPECT_EQ(Filtered(), 2u);
  EXPECT_EQ(sampler.undelivered_spans(), 0u);
  EXPECT_EQ(Held(), 0);
}

TEST_F(TailSamplingTest, DropsAtAStopIfToldSo) {
  TraceHolder& sampler = Make("{drop_pending_traces_on_shutdown: true, policies: [{name: all, type: always_sample}]}");
  EXPECT_TRUE(Give(sampler, {{.trace = 1}, {.trace = 2}}).ok());
  sampler.Stop(20s);
  EXPECT_EQ(sampler.undelivered_spans(), 2u);
  EXPECT_EQ(Dropped("shutdown"), 2u);
  EXPECT_EQ(next_.offers(), 0u);
}

// Scenario: many traces are due at once.
// Guarantees: other tasks of the loop get their turn between pieces.
TEST_F(TailSamplingTest, LetsTheLoopDoOtherThings) {
  TraceHolder& sampler = Make("{decision_wait: 1s, policies: [{name: all, type: always_sample}]}", {.piece_spans = 10});
  std::vector<SpanSketch> spans;
  for (int i = 0; i < 256; ++i) spans.push_back({.trace = static_cast<uint8_t>(i)});
  EXPECT_TRUE(Give(sampler, spans).ok());
  next_.Hold();
  Pass(2s);
  ASSERT_TRUE(next_.AwaitOffers(1)) << "the first piece is passed on before the last is decided about";
  next_.Release(absl::OkStatus());
  ASSERT_TRUE(next_.AwaitSpans(256));
  EXPECT_GT(next_.sizes().size(), 1u);
  EXPECT_EQ(next_.sizes()[0], 10u);
}

}  // namespace
}  // namespace spanloom::pipeline
