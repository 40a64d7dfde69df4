// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/span_matcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/yaml.h"
#include "pipeline/testing/attributed_spans.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

SpanMatchOptions Read(const std::string& yaml, config::Problems& problems) {
  return config::ReadOptions<SpanMatchOptions>(*config::ParseYaml(yaml, "f"), "p::include", problems);
}

std::vector<std::string> ProblemsOf(const std::string& yaml) {
  config::Problems problems;
  static_cast<void>(Read(yaml, problems));
  return problems.lines();
}

// Whether a span of the service `service`, called decode, of kind server, with step=1 and ok=true, of scope vllm 2.0,
// matches.
bool Matches(const std::string& yaml, const std::string& service = "vllm-decode") {
  config::Problems problems;
  const SpanMatcher matcher(Read(yaml, problems));
  EXPECT_THAT(problems.lines(), IsEmpty());
  const otlp::Batch batch =
      BatchOfSpan({.fields = {.name = "decode", .kind = otlp::SpanKind::kServer},
                   .scope = {.name = "vllm", .version = "2.0"},
                   .resource_attributes =
                       [&](otlp::AttributeWriter& w) {
                         if (!service.empty()) w.String("service.name", service);
                         w.String("zone", "b");
                       },
                   .attributes = [](otlp::AttributeWriter& w) { w.Int("step", 1).Bool("ok", true); }});
  bool matches = false;
  batch.slices()[0].ForEach([&](const otlp::SpanContext& span) { matches = matcher.Matches(span); });
  return matches;
}

TEST(SpanMatcher, MatchesServicesAndNames) {
  EXPECT_TRUE(Matches("{match_type: strict, services: [x, vllm-decode]}"));
  EXPECT_FALSE(Matches("{match_type: strict, services: [vllm]}"));
  EXPECT_TRUE(Matches("{match_type: regexp, services: [vllm]}"));
  EXPECT_TRUE(Matches("{match_type: strict, services: [<nil-service-name>]}", ""));
  EXPECT_TRUE(Matches("{match_type: regexp, span_names: [^dec]}"));
  EXPECT_FALSE(Matches("{match_type: strict, services: [vllm-decode], span_names: [prefill]}"));
}

TEST(SpanMatcher, MatchesKinds) {
  EXPECT_TRUE(Matches("{match_type: strict, span_kinds: [SPAN_KIND_CLIENT, SPAN_KIND_SERVER]}"));
  EXPECT_FALSE(Matches("{match_type: strict, span_kinds: [SPAN_KIND_CLIENT]}"));
  EXPECT_TRUE(Matches("{match_type: regexp, span_kinds: [SER]}"));
}

// Scenario: attributes with values of other types, without a value, absent, and as expressions over a number.
// Guarantees: strict values match with their type, expressions match the text; all attributes have to match.
TEST(SpanMatcher, MatchesAllAttributes) {
  EXPECT_TRUE(Matches("{match_type: strict, attributes: [{key: step, value: 1}, {key: ok}]}"));
  EXPECT_FALSE(Matches("{match_type: strict, attributes: [{key: step, value: '1'}]}"));
  EXPECT_FALSE(Matches("{match_type: strict, attributes: [{key: step, value: 1}, {key: absent}]}"));
  EXPECT_TRUE(Matches("{match_type: regexp, attributes: [{key: step, value: '[0-9]'}, {key: ok, value: tru}]}"));
}

TEST(SpanMatcher, MatchesResourcesAndLibraries) {
  EXPECT_TRUE(Matches("{match_type: strict, resources: [{key: zone, value: b}]}"));
  EXPECT_FALSE(Matches("{match_type: strict, resources: [{key: zone, value: b}, {key: rack}]}"));
  EXPECT_TRUE(Matches("{match_type: strict, libraries: [{name: x}, {name: vllm}]}"));
  EXPECT_TRUE(Matches("{match_type: regexp, libraries: [{name: vl, version: '2\\..'}]}"));
  EXPECT_FALSE(Matches("{match_type: strict, libraries: [{name: vllm, version: ''}]}"));
}

TEST(SpanMatchOptions, TakesTheCollectorsCache) {
  EXPECT_THAT(ProblemsOf("{match_type: regexp, regexp: {cacheenabled: true, cachemaxnumentries: 100}, services: [a]}"),
              IsEmpty());
}

TEST(SpanMatchOptions, RefusesWhatMatchesNothing) {
  EXPECT_THAT(ProblemsOf("{services: [a]}"), ElementsAre(HasSubstr("p::include: match_type must be strict or regexp")));
  EXPECT_THAT(ProblemsOf("{match_type: strict}"), ElementsAre(HasSubstr("at least one of services")));
  EXPECT_THAT(ProblemsOf("{match_type: strict, span_kinds: [server]}"), ElementsAre(HasSubstr("SPAN_KIND_CLIENT")));
  EXPECT_THAT(ProblemsOf("{match_type: regexp, services: ['(']}"), ElementsAre(HasSubstr("services is not a regular")));
  EXPECT_THAT(ProblemsOf("{match_type: regexp, attributes: [{key: a, value: 1}]}"), ElementsAre(HasSubstr("quote")));
  EXPECT_THAT(ProblemsOf("{match_type: strict, attributes: [{value: 1}]}"),
              ElementsAre(HasSubstr("p::include::attributes::0: key is missing")));
  EXPECT_THAT(ProblemsOf("{match_type: strict, libraries: [{name: a, version: 1.0}]}"),
              ElementsAre(HasSubstr("quote")));
  EXPECT_THAT(ProblemsOf("{match_type: strict, services: [a], log_bodies: [x]}"),
              ElementsAre(HasSubstr("log_bodies is not supported")));
}

}  // namespace
}  // namespace spanloom::pipeline
