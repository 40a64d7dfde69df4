// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/yaml.h"
#include "pipeline/testing/attributed_spans.h"
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
    return MakeOf(options);
  }
  std::unique_ptr<FilterProcessor> MakeOf(const FilterOptions& options) {
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

// Scenario: the client's span of a scrape, a client that asks another path of that name, and a server's span.
// Guarantees: what start-up advises drops the first alone.
TEST_F(FilterProcessorTest, WhatIsAdvisedDropsTheClientsHalfOfScrapes) {
  const auto filter = Make({std::string(kScrapeClientCondition)});
  const auto is_dropped = [&](otlp::SpanKind kind, std::string_view url) {
    const auto write = [&](otlp::AttributeWriter& writer) { writer.String("url.full", url); };
    AttributedSpan span{.attributes = write};
    span.fields.kind = kind;
    otlp::Batch batch = BatchOfSpan(span);
    EXPECT_TRUE(filter->Process(batch).ok());
    return batch.empty();
  };
  EXPECT_TRUE(is_dropped(otlp::SpanKind::kClient, "http://localhost:8201/metrics"));
  EXPECT_FALSE(is_dropped(otlp::SpanKind::kClient, "http://localhost:8201/v1/metrics"));
  EXPECT_FALSE(is_dropped(otlp::SpanKind::kClient, "http://localhost:8201/metrics/custom"));
  EXPECT_FALSE(is_dropped(otlp::SpanKind::kServer, "http://localhost:8201/metrics"));
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

// Two services with two scopes of a span each; each span has two events.
otlp::Batch Services() {
  std::string wire;
  otlp::RequestWriter request(wire);
  uint8_t number = 0;
  for (const char* service : {"shop", "canary"}) {
    request.BeginResource(
        otlp::EncodeResource([&](otlp::AttributeWriter& writer) { writer.String("service.name", service); }));
    for (const char* scope : {"http", "sql"}) {
      request.BeginScope(otlp::EncodeScope({.name = scope}));
      const std::string name = std::string(service) + "." + scope;
      otlp::SpanFields fields = {.name = name};
      fields.trace_id.bytes.fill(1);
      fields.span_id.bytes.fill(++number);
      otlp::SpanWriter span = request.BeginSpan(fields);
      span.AddEvent(1, "first");
      span.AddEvent(2, "second");
      span.End();
    }
  }
  request.End();
  return otlp::Batch(otlp::Slice(Bytes(std::move(wire)), 4));
}

std::vector<std::string> EventsOf(const otlp::Batch& batch) {
  std::vector<std::string> names;
  for (const otlp::Slice& slice : batch.slices()) {
    slice.ForEach([&](const otlp::SpanContext& context) {
      for (const otlp::EventView event : context.span.events()) names.emplace_back(event.name());
    });
  }
  return names;
}

// Scenario: a condition on the resource, one on spans, one on events.
// Guarantees: all spans of the resource go; the span goes with its events; events go and leave the span.
TEST_F(FilterProcessorTest, DropsResourcesSpansAndEvents) {
  FilterOptions options;
  options.traces.resource = {R"(attributes["service.name"] == "canary")"};
  options.traces.span = {R"(instrumentation_scope.name == "sql")"};
  options.traces.spanevent = {R"(name == "second" and event_index == 1)"};
  otlp::Batch batch = Services();
  EXPECT_TRUE(MakeOf(options)->Process(batch).ok());
  EXPECT_THAT(NamesOf(batch), ElementsAre("shop.http"));
  EXPECT_THAT(EventsOf(batch), ElementsAre("first"));
  EXPECT_EQ(Filtered(), 3u);
}

// Scenario: a condition that holds for every event.
// Guarantees: the spans are left without events, and are not counted as filtered.
TEST_F(FilterProcessorTest, LeavesSpansThatHaveLostTheirEvents) {
  FilterOptions options;
  options.traces.span_event = {"true"};
  otlp::Batch batch = Services();
  EXPECT_TRUE(MakeOf(options)->Process(batch).ok());
  EXPECT_EQ(batch.span_count(), 4u);
  EXPECT_THAT(EventsOf(batch), IsEmpty());
  EXPECT_EQ(Filtered(), 0u);
}

// Scenario: conditions of inferred and of said contexts.
// Guarantees: each is applied where it belongs.
TEST_F(FilterProcessorTest, InfersTheContextOfConditions) {
  FilterOptions options;
  options.trace_conditions = {
      {.conditions = {R"(scope.name == "sql" and resource.attributes["service.name"] == "shop")"}},
      {.context = OttlContextChoice::kResource, .conditions = {R"(attributes["service.name"] == "none")"}},
      {.conditions = {R"(span.name == "canary.http")"}},
  };
  otlp::Batch batch = Services();
  EXPECT_TRUE(MakeOf(options)->Process(batch).ok());
  EXPECT_THAT(NamesOf(batch), ElementsAre("shop.http", "canary.sql"));
}

// Scenario: one list with a condition on events in front of those on spans and resources.
// Guarantees: each is asked in its own context, not all in that of events (recorded from the Collector).
TEST_F(FilterProcessorTest, InfersTheContextOfEachCondition) {
  FilterOptions options;
  options.trace_conditions = {
      {.conditions = {R"(spanevent.name == "none")", R"(span.name == "shop.sql")",
                      R"(resource.attributes["service.name"] == "canary")"}},
  };
  otlp::Batch batch = Services();
  EXPECT_TRUE(MakeOf(options)->Process(batch).ok());
  EXPECT_THAT(NamesOf(batch), ElementsAre("shop.http"));
  EXPECT_EQ(Filtered(), 3u);
}

// Scenario: the older settings, which say what to leave and what to drop.
// Guarantees: what is included and not excluded is left; the rest is counted.
TEST_F(FilterProcessorTest, LeavesWhatIsIncludedAndNotExcluded) {
  config::Problems problems;
  const auto options = config::ReadOptions<FilterOptions>(
      *config::ParseYaml("spans:\n  include: {match_type: strict, services: [shop]}\n"
                         "  exclude: {match_type: regexp, span_names: ['sql$']}\n",
                         "f"),
      "processors::filter", problems);
  ASSERT_TRUE(problems.empty());
  otlp::Batch batch = Services();
  EXPECT_TRUE(MakeOf(options)->Process(batch).ok());
  EXPECT_THAT(NamesOf(batch), ElementsAre("shop.http"));
  EXPECT_EQ(Filtered(), 3u);
}

// Scenario: a condition that fails, in front of one that holds.
// Guarantees: it is passed over, or the batch is refused.
TEST_F(FilterProcessorTest, TreatsErrorsByTheErrorMode) {
  FilterOptions options;
  options.traces.span = {R"(attributes["none"] + 1 == 2)", R"(name == "a")"};
  for (const OttlErrorMode mode : {OttlErrorMode::kIgnore, OttlErrorMode::kSilent}) {
    options.error_mode = mode;
    otlp::Batch batch = BatchOf({"a", "b"});
    EXPECT_TRUE(MakeOf(options)->Process(batch).ok());
    EXPECT_THAT(NamesOf(batch), ElementsAre("b"));
  }
  options.error_mode = OttlErrorMode::kPropagate;
  otlp::Batch batch = BatchOf({"a", "b"});
  EXPECT_EQ(MakeOf(options)->Process(batch).code(), absl::StatusCode::kUnavailable);
}

// Scenario: what other Collector files say under filter.
// Guarantees: empty sections are harmless; conditions that would be ignored are refused by name; bad ones too.
TEST(FilterOptions, RefusesWhatItWouldNotDo) {
  EXPECT_THAT(Problems("traces: {span: ['name == \"GET\"'], resource: []}\nmetrics:\n"), IsEmpty());
  EXPECT_THAT(Problems("logs: {log_record: ['true']}"), ElementsAre(HasSubstr("logs is not supported")));
  EXPECT_THAT(Problems("spans: {include: {match_type: strict, span_names: [a]}}\ntraces: {span: ['true']}"),
              ElementsAre(HasSubstr(
                  "cannot use \"traces.resource\", \"traces.span\", \"traces.spanevent\" and the span settings")));
  EXPECT_THAT(
      Problems("spans: {include: {match_type: strict, span_names: [a]}}\ntrace_conditions: ['span.name == \"a\"']"),
      ElementsAre(HasSubstr("cannot use \"trace_conditions\" and \"spans\"")));
  EXPECT_THAT(Problems("error_mode: x"), ElementsAre(HasSubstr("error_mode: unknown value")));
  EXPECT_THAT(Problems("traces: {resource: ['name == \"a\"']}"),
              ElementsAre(HasSubstr("is not a valid path nor a valid OTTL keyword for the resource context")));
}

// Scenario: both forms of trace_conditions, and what they refuse.
// Guarantees: lists of texts and lists of groups are read; mixtures are refused in the Collector's words.
TEST(FilterOptions, ReadsBothFormsOfTraceConditions) {
  EXPECT_THAT(Problems("trace_conditions: ['span.name == \"a\"', 'resource.attributes[\"b\"] == 1']"), IsEmpty());
  EXPECT_THAT(Problems("trace_conditions: [{context: span, conditions: ['name == \"a\"'], error_mode: silent}]"),
              IsEmpty());
  EXPECT_THAT(Problems("trace_conditions: ['name == \"a\"']"),
              ElementsAre(HasSubstr("missing context name for path \"name\"")));
  EXPECT_THAT(Problems("trace_conditions: ['1 == 2']"), ElementsAre(HasSubstr("unable to infer context")));
  EXPECT_THAT(Problems("trace_conditions: ['span.name == \"a\"', {conditions: ['true']}]"),
              ElementsAre(HasSubstr("configuring multiple configuration styles is not supported")));
  EXPECT_THAT(
      Problems("trace_conditions: ['span.name == \"a\"']\ntraces: {span: ['true']}"),
      ElementsAre(HasSubstr("cannot use context inferred trace conditions \"trace_conditions\" and the settings "
                            "\"traces.resource\", \"traces.span\", \"traces.spanevent\" at the same time")));
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
