// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/yaml.h"
#include "pipeline/testing/requests.h"

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
    return std::make_unique<FilterProcessor>(ComponentId{"filter", "noise"}, options, context_);
  }
  uint64_t Filtered() const {
    return metrics_.Sum("otelcol_processor_filter_spans_filtered", {{"filter", "filter/noise"}});
  }

  net::LoopPool loops_{1};
  MetricRegistry metrics_;
  const BuildContext context_{.loops = loops_, .metrics = metrics_, .clock = Clock::System()};
};

// Scenario: a request with scrapes among real spans.
// Guarantees: the scrapes are dropped and counted, the rest is left.
TEST_F(FilterProcessorTest, DropsMatchingSpans) {
  const auto filter = Make({R"(name == "GET /metrics")", R"(name == "GET")"});
  otlp::Batch batch = BatchOf({"GET /metrics", "llm_request", "GET"});
  EXPECT_TRUE(filter->Process(batch).ok());
  EXPECT_THAT(NamesOf(batch), ElementsAre("llm_request"));
  EXPECT_EQ(Filtered(), 2u);
}

// Scenario: no conditions.
// Guarantees: everything is left.
TEST_F(FilterProcessorTest, WithoutConditionsLeavesEverything) {
  otlp::Batch batch = BatchOf({"a", "b"});
  EXPECT_TRUE(Make({})->Process(batch).ok());
  EXPECT_EQ(batch.span_count(), 2u);
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
