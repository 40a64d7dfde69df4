// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/yaml.h"
#include "pipeline/testing/fake_consumer.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class FilterProcessorTest : public testing::Test {
 protected:
  std::unique_ptr<FilterProcessor> Make(std::vector<std::string> conditions) {
    FilterOptions options;
    options.traces.span = std::move(conditions);
    return std::make_unique<FilterProcessor>(ComponentId{"filter", "noise"}, options, context_, next_);
  }
  uint64_t Filtered() const {
    return metrics_.Sum("otelcol_processor_filter_spans_filtered", {{"filter", "filter/noise"}});
  }

  net::LoopPool loops_{1};
  MetricRegistry metrics_;
  const BuildContext context_{.loops = loops_, .metrics = metrics_, .clock = Clock::System()};
  FakeConsumer next_;
};

// Scenario: a request with scrapes among real spans.
// Guarantees: the scrapes are dropped and counted, the rest goes on.
TEST_F(FilterProcessorTest, DropsMatchingSpans) {
  const auto filter = Make({R"(name == "GET /metrics")", R"(name == "GET")"});
  EXPECT_TRUE(Deliver(*filter, BatchOf({"GET /metrics", "llm_request", "GET"})).ok());
  EXPECT_THAT(next_.names(), ElementsAre("llm_request"));
  EXPECT_EQ(Filtered(), 2u);
  EXPECT_EQ(metrics_.Sum("otelcol_processor_incoming_items"), 3u);
  EXPECT_EQ(metrics_.Sum("otelcol_processor_outgoing_items"), 1u);
}

// Scenario: nothing is left of a request.
// Guarantees: answered OK without bothering the next consumer.
TEST_F(FilterProcessorTest, SwallowsARequestThatIsLeftWithoutSpans) {
  const auto filter = Make({R"(name == "GET")"});
  EXPECT_TRUE(Deliver(*filter, BatchOf({"GET", "GET"})).ok());
  EXPECT_EQ(next_.offers(), 0u);
  EXPECT_EQ(Filtered(), 2u);
}

// Scenario: the next consumer refuses.
// Guarantees: its answer is the filter's, delay included.
TEST_F(FilterProcessorTest, AnswersWhatTheNextConsumerAnswers) {
  const auto filter = Make({});
  next_.AnswerWith(WithRetryDelay(absl::UnavailableError("full"), std::chrono::milliseconds(7)));
  const Status status = Deliver(*filter, BatchOf({"a"}));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(RetryDelay(status), std::chrono::milliseconds(7));
}

std::vector<std::string> Problems(std::string_view yaml) {
  config::Problems problems;
  config::ReadOptions<FilterOptions>(*config::ParseYaml(yaml, "f"), "processors::filter", problems);
  return problems.lines();
}

// Scenario: what other Collector files say under filter.
// Guarantees: empty sections are harmless; conditions that would be ignored are refused by name; bad ones too.
TEST(FilterOptions, RefusesWhatItWouldNotDo) {
  EXPECT_THAT(Problems("traces: {span: ['name == \"GET\"'], resource: []}\nmetrics:\n"), IsEmpty());
  EXPECT_THAT(Problems("traces: {resource: ['true']}"),
              ElementsAre(HasSubstr("processors::filter::traces: resource is not supported by this version")));
  EXPECT_THAT(Problems("traces: {span_event: [x]}"), ElementsAre(HasSubstr("span_event is not supported")));
  EXPECT_THAT(Problems("error_mode: x"), ElementsAre(HasSubstr("error_mode: unknown value")));
}

// Scenario: two bad conditions between good ones.
// Guarantees: both are named, each at its own line.
TEST(FilterOptions, NamesEveryBadCondition) {
  EXPECT_THAT(
      Problems("traces:\n  span:\n    - name == \"a\"\n    - foo == 1\n    - name == \"b\"\n    - name =\n"),
      ElementsAre(HasSubstr("f:4: processors::filter::traces::span::1: unable to parse OTTL condition \"foo == 1\""),
                  HasSubstr("f:6: processors::filter::traces::span::3: unable to parse OTTL condition \"name =\"")));
}

}  // namespace
}  // namespace spanloom::pipeline
