// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/transform.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "config/yaml.h"
#include "otlp/validate.h"
#include "otlp/writer.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// One service with two scopes of two spans each; each span has two events.
otlp::Batch Service() {
  std::string wire;
  otlp::RequestWriter request(wire);
  request.BeginResource(otlp::EncodeResource([](otlp::AttributeWriter& writer) { writer.Int("count", 0); }));
  uint8_t number = 0;
  for (const char* scope : {"http", "sql"}) {
    request.BeginScope(otlp::EncodeScope({.name = scope}));
    for (const char* name : {"a", "b"}) {
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

// "SCOPE.NAME(EVENT EVENT)" of each span, and the resource's count in front.
std::string Shown(const otlp::Batch& batch) {
  std::string shown;
  for (const otlp::Slice& slice : batch.slices()) {
    std::string wire;
    slice.AppendTo(wire);
    EXPECT_TRUE(otlp::ValidateTraces(wire).ok());
    slice.ForEach([&](const otlp::SpanContext& context) {
      if (shown.empty()) {
        const auto count = otlp::FindAttribute(context.resource.attributes(), "count");
        shown = std::to_string(count ? count->int_value() : -1);
      }
      shown += " " + std::string(context.scope.name()) + "." + std::string(context.span.name()) + "(";
      for (const otlp::EventView event : context.span.events()) shown += std::string(event.name()) + " ";
      shown.back() = ')';
    });
  }
  return shown;
}

constexpr const char* kUntouched =
    "0 http.a(first second) http.b(first second) sql.a(first second) sql.b(first second)";

class StatementProcessorTest : public testing::Test {
 protected:
  std::string Transformed(const TransformOptions& options, Status* status = nullptr) {
    StatementProcessor processor(ComponentId{"transform", ""}, options, context_);
    otlp::Batch batch = Service();
    const Status answer = processor.Process(batch);
    if (status == nullptr) {
      EXPECT_TRUE(answer.ok()) << answer;
    } else {
      *status = answer;
    }
    return Shown(batch);
  }

  net::LoopPool loops_{1};
  MetricRegistry metrics_;
  const BuildContext context_{.loops = loops_, .metrics = metrics_, .clock = Clock::System()};
};

// Scenario: statements that count how often they are carried out.
// Guarantees: once a resource, once a scope, once a span, once an event.
TEST_F(StatementProcessorTest, CarriesOutStatementsOnceForEachOfTheContext) {
  const std::string statement = R"(set(resource.attributes["count"], resource.attributes["count"] + 1))";
  const auto count = [&](OttlContextChoice context) {
    return Transformed({.trace_statements = {{.context = context, .statements = {statement}}}}).substr(0, 1);
  };
  EXPECT_EQ(count(OttlContextChoice::kResource), "1");
  EXPECT_EQ(count(OttlContextChoice::kScope), "2");
  EXPECT_EQ(count(OttlContextChoice::kSpan), "4");
  EXPECT_EQ(count(OttlContextChoice::kSpanEvent), "8");
}

// Scenario: statements on events that change event and span, and see what they did.
// Guarantees: both changes are kept, also if only one of the two is made.
TEST_F(StatementProcessorTest, ChangesEventsAndTheirSpan) {
  EXPECT_EQ(
      Transformed(
          {.trace_statements =
               {{.statements = {R"(set(span.name, Concat([span.name, spanevent.name], "-")) where scope.name == "sql")",
                                R"(set(spanevent.name, span.name) where spanevent.event_index == 1)"}}}}),
      "0 http.a(first a) http.b(first b) sql.a-first-second(first a-first-second) "
      "sql.b-first-second(first b-first-second)");
}

// Scenario: groups one after the other, each with conditions.
// Guarantees: the second sees what the first did; conditions bind all statements of their group.
TEST_F(StatementProcessorTest, CarriesOutGroupsInOrder) {
  EXPECT_EQ(
      Transformed({.trace_statements = {{.context = OttlContextChoice::kScope,
                                         .conditions = {R"(name == "sql")"},
                                         .statements = {R"(set(name, "db"))"}},
                                        {.context = OttlContextChoice::kSpan,
                                         .conditions = {R"(scope.name == "db" and name == "a")"},
                                         .statements = {R"(set(name, "c"))", R"(set(name, ToUpperCase(name)))"}}}}),
      "0 http.a(first second) http.b(first second) db.C(first second) db.b(first second)");
}

// Scenario: statements in several contexts, of which none is given.
// Guarantees: all are carried out in the innermost one.
TEST_F(StatementProcessorTest, TakesAGroupInItsInnermostContext) {
  const std::vector<std::string> statements = {
      R"(set(resource.attributes["count"], resource.attributes["count"] + 1))",
      R"(set(span.name, "x") where resource.attributes["count"] == 1)",
      R"(set(span.name, Concat([span.name, "y"], "")))",
      R"(set(resource.attributes["count"], resource.attributes["count"] + 1))",
  };
  EXPECT_EQ(Transformed({.trace_statements = {{.statements = statements}}}),
            "8 http.xy(first second) http.by(first second) sql.ay(first second) sql.by(first second)");
}

// Scenario: statements on a resource that use what resources have not.
// Guarantees: they are carried out in the next context that has it: for enums of each event, for functions of spans of
//   each span; where there is none, they are refused.
TEST_F(StatementProcessorTest, TakesAContextThatHasWhatIsUsed) {
  const std::string statement = R"(set(resource.attributes["count"], resource.attributes["count"] + 1))";
  const auto count = [&](const std::string& other) {
    return Transformed({.trace_statements = {{.statements = {statement, other}}}}).substr(0, 1);
  };
  EXPECT_EQ(count(R"(set(resource.attributes["k"], "x"))"), "1");
  EXPECT_EQ(count(R"(set(resource.attributes["k"], SPAN_KIND_SERVER))"), "8");
  EXPECT_EQ(count(R"(set(resource.attributes["k"], "x") where IsRootSpan())"), "4");
  EXPECT_EQ(count(R"(set_semconv_span_name("1.38.0"))"), "4");
  const TransformStatementsOptions of_events{.statements = {R"(set(spanevent.name, "x") where IsRootSpan())"}};
  const TransformStatementsOptions of_resources{.context = OttlContextChoice::kResource,
                                                .statements = {R"(set(attributes["k"], SPAN_KIND_SERVER))"}};
  EXPECT_FALSE(of_events.Validate().ok());
  EXPECT_FALSE(of_resources.Validate().ok());
}

// Scenario: a statement that fails between two that do not.
// Guarantees: it alone is passed over, or the batch is refused.
TEST_F(StatementProcessorTest, TreatsErrorsByTheErrorMode) {
  TransformOptions options{.trace_statements = {{.statements = {R"(set(span.name, 1))", R"(set(span.name, "x"))"}}}};
  EXPECT_THAT(Transformed(options), HasSubstr("http.x(first second)"));
  options.trace_statements[0].error_mode = OttlErrorMode::kPropagate;
  Status status;
  Transformed(options, &status);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(std::string(status.message()),
            "failed to execute statement: set(span.name, 1), expected string but got int64");
}

// Scenario: statements whose condition never holds.
// Guarantees: the batch is passed on as it came, byte for byte.
TEST_F(StatementProcessorTest, LeavesTheBytesAloneWhereNothingApplies) {
  StatementProcessor processor(
      ComponentId{"transform", ""},
      {.trace_statements = {{.statements = {R"(set(span.name, "x") where span.name == "none")"}}}}, context_);
  otlp::Batch batch = Service();
  EXPECT_TRUE(processor.Process(batch).ok());
  EXPECT_TRUE(batch.slices().front().is_whole());
  EXPECT_EQ(Shown(batch), kUntouched);
}

std::vector<std::string> Problems(std::string_view yaml) {
  config::Problems problems;
  config::ReadOptions<TransformOptions>(*config::ParseYaml(yaml, "f"), "processors::transform", problems);
  return problems.lines();
}

// Scenario: both forms of trace_statements, and what they refuse.
// Guarantees: both are read; what is wrong is named.
TEST(TransformOptions, ReadsBothFormsOfTraceStatements) {
  EXPECT_THAT(Problems("trace_statements: ['set(span.name, \"a\")', 'delete_key(resource.attributes, \"b\")']"),
              IsEmpty());
  EXPECT_THAT(
      Problems(
          "trace_statements:\n- context: span\n  conditions: ['name == \"a\"']\n  statements: ['set(name, \"b\")']"),
      IsEmpty());
  EXPECT_THAT(Problems("trace_statements: ['set(name, \"a\")']"),
              ElementsAre(HasSubstr("missing context name for path \"name\"")));
  EXPECT_THAT(Problems("trace_statements: [{context: span, statements: ['sett(name, 1)']}]"),
              ElementsAre(HasSubstr("unable to parse OTTL statement \"sett(name, 1)\": undefined function \"sett\"")));
  EXPECT_THAT(Problems("trace_statements: ['set(span.name, \"a\")', {context: span}]"),
              ElementsAre(HasSubstr("configuring multiple configuration styles is not supported")));
  EXPECT_THAT(Problems("log_statements: [{context: log}]"), ElementsAre(HasSubstr("log_statements is not supported")));
}

}  // namespace
}  // namespace spanloom::pipeline
