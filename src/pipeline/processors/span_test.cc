// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/span.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/yaml.h"
#include "pipeline/testing/attributed_spans.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

SpanOptions Read(std::string_view yaml, config::Problems& problems) {
  return config::ReadOptions<SpanOptions>(*config::ParseYaml(yaml, "f"), "processors::span", problems);
}

std::vector<std::string> ProblemsOf(std::string_view yaml) {
  config::Problems problems;
  static_cast<void>(Read(yaml, problems));
  return problems.lines();
}

// What becomes of a span called `name` with method=GET, code=200, share=0.5 and tags=[].
ShownSpan After(std::string_view yaml, std::string_view name = "/v1/users/42/posts/7") {
  config::Problems problems;
  SpanProcessor processor(Read(yaml, problems));
  EXPECT_THAT(problems.lines(), IsEmpty());
  otlp::Batch batch = BatchOfSpan({.fields = {.name = name}, .attributes = [](otlp::AttributeWriter& w) {
                                     w.String("method", "GET").Int("code", 200).Double("share", 0.5);
                                     w.Array("tags", [](otlp::ArrayWriter&) {});
                                   }});
  EXPECT_TRUE(processor.Process(batch).ok());
  return ShownSpans(batch)[0];
}

TEST(SpanProcessor, NamesASpanAfterItsAttributes) {
  EXPECT_EQ(After("name: {from_attributes: [method, code, share], separator: '::'}").name, "GET::200::0.5");
  EXPECT_EQ(After("name: {from_attributes: [method, tags]}").name, "GET<unknown-attribute-type>");
  EXPECT_EQ(After("name: {from_attributes: [method, absent]}").name, "/v1/users/42/posts/7");
}

// Scenario: a rule with two groups, one without a name between them.
// Guarantees: named groups become attributes and leave their names; the other stays.
TEST(SpanProcessor, TakesAttributesOutOfTheName) {
  const ShownSpan span = After("name: {to_attributes: {rules: ['users/(?P<user>[0-9]+)/(posts)/(?P<post>[0-9]+)']}}");
  EXPECT_EQ(span.name, "/v1/users/{user}/posts/{post}");
  EXPECT_THAT(span.attributes,
              ElementsAre("method=\"GET\"", "code=200", "share=0.5D", "tags=[]", "user=\"42\"", "post=\"7\""));
}

TEST(SpanProcessor, AppliesRulesToWhatTheOnesBeforeLeft) {
  const std::string rules = "rules: ['/(?P<a>[0-9]+)', '/(?P<b>[0-9]+)']";
  EXPECT_EQ(After("name: {to_attributes: {" + rules + "}}").name, "/v1/users/{a}/posts/{b}");
  EXPECT_EQ(After("name: {to_attributes: {" + rules + ", break_after_match: true}}").name, "/v1/users/{a}/posts/7");
  const ShownSpan kept = After("name: {to_attributes: {" + rules + ", keep_original_name: true}}");
  EXPECT_EQ(kept.name, "/v1/users/42/posts/7");
  EXPECT_THAT(kept.attributes, testing::IsSupersetOf({"a=\"42\"", "b=\"42\""}));
}

// Scenario: groups within groups, and groups that took no part in the match, on which the Collector panics.
// Guarantees: the outer group leaves its name; the other is an empty attribute.
TEST(SpanProcessor, BearsGroupsInAnyOrder) {
  const ShownSpan span = After("name: {to_attributes: {rules: ['(?P<outer>u(?P<inner>s)ers)(?P<none>x)?']}}");
  EXPECT_EQ(span.name, "/v1/{outer}/42/posts/7");
  EXPECT_THAT(span.attributes, testing::IsSupersetOf({"outer=\"users\"", "inner=\"s\"", "none=\"\""}));
}

TEST(SpanProcessor, LeavesASpanWithoutANameAlone) {
  EXPECT_EQ(After("name: {to_attributes: {rules: ['(?P<a>.*)']}}", "").attributes.size(), 4u);
}

TEST(SpanProcessor, SetsTheStatus) {
  const ShownSpan error = After("status: {code: Error, description: broken}");
  EXPECT_EQ(error.status_code, otlp::StatusCode::kError);
  EXPECT_EQ(error.status_message, "broken");
  EXPECT_EQ(After("status: {code: Ok}").status_code, otlp::StatusCode::kOk);
}

TEST(SpanProcessor, ActsOnSelectedSpansAlone) {
  const std::string status = "status: {code: Ok}";
  EXPECT_EQ(After(status + "\nexclude: {match_type: regexp, span_names: [users]}").status_code,
            otlp::StatusCode::kUnset);
}

TEST(SpanOptions, RefusesWhatItWouldNotDo) {
  EXPECT_THAT(ProblemsOf("{}"), ElementsAre(HasSubstr("processors::span: name.from_attributes")));
  EXPECT_THAT(ProblemsOf("name: {to_attributes: {rules: [a, '(']}}"), ElementsAre(HasSubstr("rules::1: is not a reg")));
  EXPECT_THAT(ProblemsOf("status: {code: OK}"), ElementsAre(HasSubstr("code must be one of Ok, Error, Unset")));
  EXPECT_THAT(ProblemsOf("status: {code: Ok, description: x}"), ElementsAre(HasSubstr("description goes with")));
}

}  // namespace
}  // namespace spanloom::pipeline
