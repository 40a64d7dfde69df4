// SPDX-License-Identifier: Apache-2.0
//
// Conformance: sums over spans are the naive sums.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/rng.h"
#include "base/text.h"
#include "store/conformance/store_conformance.h"

namespace spanloom::store {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

constexpr uint64_t kSpans = 600;

// Spans over three services, ten steps of 100 ns, with a number that is an int, a double, an array of both, or absent.
struct RandomSpan {
  SpanSpec spec;
  std::string service;
  std::vector<double> numbers;
};

std::vector<RandomSpan> RandomSpans(uint64_t seed) {
  Rng rng(seed);
  std::vector<RandomSpan> spans;
  for (uint64_t i = 1; i <= kSpans; ++i) {
    RandomSpan span = {.spec = {.trace_id = MakeTraceId(1 + rng.Below(50)),
                                .span_id = MakeSpanId(i),
                                .name = StrCat("op-", rng.Below(3)),
                                .start_unix_ns = 50 + rng.Below(1'000)},
                       .service = StrCat("service-", rng.Below(3)),
                       .numbers = {}};
    const auto whole = static_cast<int64_t>(rng.Below(1'000)) - 300;
    switch (rng.Below(4)) {
      case 0:
        span.spec.attributes = {{"n", whole}};
        span.numbers = {static_cast<double>(whole)};
        break;
      case 1:
        span.spec.attributes = {{"n", static_cast<double>(whole) / 4}};
        span.numbers = {static_cast<double>(whole) / 4};
        break;
      case 2:
        span.spec.attributes = {{"n", MakeArray({whole, 0.5, "no number"})}};
        span.numbers = {static_cast<double>(whole), 0.5};
        break;
      default:
        break;
    }
    spans.push_back(std::move(span));
  }
  return spans;
}

AggregateAnswer NaiveAnswer(const AggregatePlan& plan, const std::vector<RandomSpan>& spans) {
  std::map<std::vector<Value>, std::vector<Aggregate>> series;
  for (const RandomSpan& span : spans) {
    if (!plan.starts.Contains(span.spec.start_unix_ns) || span.spec.name == "op-0") continue;
    std::vector<Value> group;
    for (const Field& field : plan.group_by) {
      if (field.intrinsic == Intrinsic::kService) group.push_back(Value::String(span.service));
      if (field.intrinsic == Intrinsic::kName) group.push_back(Value::String(span.spec.name));
    }
    std::vector<Aggregate>& steps = series.try_emplace(group, plan.steps()).first->second;
    const uint64_t step = plan.step_ns == 0 ? 0 : (span.spec.start_unix_ns - plan.starts.begin_unix_ns) / plan.step_ns;
    ++steps[step].spans;
    for (const double number : span.numbers) {
      if (plan.of) steps[step].Add(number, plan.wants_distribution);
    }
  }
  AggregateAnswer answer;
  for (auto& [group, steps] : series) answer.push_back({.group = group, .steps = std::move(steps), .exemplars = {}});
  return answer;
}

void AppendAll(const std::vector<RandomSpan>& spans, const std::function<void(otlp::Batch)>& append) {
  RequestBuilder builder;
  for (const RandomSpan& span : spans) builder.FromService(span.service).Add(span.spec);
  append(builder.Build());
}

// Scenario: random spans; grouped by none, one and two fields, in one step and in ten, the last of them cut short.
// Guarantees: counts, sums, ends and distributions are those of going over the spans by hand (the numbers are
// fractions that doubles add exactly).
TEST_P(StoreConformance, SumsUpAsByHandProperty) {
  if (!store().capabilities().aggregate) GTEST_SKIP() << "not declared";
  const std::vector<RandomSpan> spans = RandomSpans(6);
  AppendAll(spans, [this](otlp::Batch batch) { Append(std::move(batch)); });
  for (const uint64_t step_ns : {0, 100, 70}) {
    for (const std::vector<Field>& group_by : std::vector<std::vector<Field>>{
             {}, {Field::Of(Intrinsic::kService)}, {Field::Of(Intrinsic::kName), Field::Of(Intrinsic::kService)}}) {
      for (const bool has_of : {false, true}) {
        const AggregatePlan plan = {
            .where = Has(Field::Of(Intrinsic::kName), Comparison::kNotEqual, Value::String("op-0")),
            .starts = {100, 999},
            .step_ns = step_ns,
            .of = has_of ? std::optional(Field::Attribute(AttributeScope::kSpan, "n")) : std::nullopt,
            .wants_distribution = has_of,
            .group_by = group_by};
        const auto answer = store().Aggregate(plan);
        ASSERT_TRUE(answer.ok()) << answer.status();
        EXPECT_EQ(*answer, NaiveAnswer(plan, spans)) << step_ns << " " << group_by.size() << " " << has_of;
      }
    }
  }
}

// Scenario: spans with and without the field that is grouped by.
// Guarantees: those without are a group of their own; the first value of a field counts; groups are sorted.
TEST_P(StoreConformance, GroupsByFirstValues) {
  if (!store().capabilities().aggregate) GTEST_SKIP() << "not declared";
  const auto span = [](uint64_t number, Attributes attributes) {
    return SpanSpec{
        .trace_id = MakeTraceId(number), .span_id = MakeSpanId(number), .attributes = std::move(attributes)};
  };
  AppendEach({span(1, {{"k", "b"}}), span(2, {{"k", MakeArray({"a", "b"})}}), span(3, {}), span(4, {{"k", "a"}})});
  const auto answer = store().Aggregate({.group_by = {Field::Attribute(AttributeScope::kSpan, "k")}});
  ASSERT_TRUE(answer.ok());
  ASSERT_THAT(*answer, SizeIs(3));
  EXPECT_THAT((*answer)[0].group, ElementsAre(Value()));
  EXPECT_THAT((*answer)[1].group, ElementsAre(Value::String("a")));
  EXPECT_EQ((*answer)[1].steps[0].spans, 2);
  EXPECT_THAT((*answer)[2].group, ElementsAre(Value::String("b")));
}

// Scenario: a hundred spans over ten steps, five exemplars wanted; spans without the number among them.
// Guarantees: at most five, each a span that has the number, with it, by start, spread over the steps; the same again.
TEST_P(StoreConformance, ChoosesExemplars) {
  if (!store().capabilities().aggregate) GTEST_SKIP() << "not declared";
  RequestBuilder builder;
  builder.FromService("s");
  for (uint64_t i = 0; i < 100; ++i) {
    SpanSpec span = {.trace_id = MakeTraceId(i), .span_id = MakeSpanId(i + 1), .start_unix_ns = i};
    if (i % 2 == 0) span.attributes = {{"n", static_cast<int64_t>(i)}};
    builder.Add(span);
  }
  Append(builder.Build());
  const AggregatePlan plan = {
      .starts = {0, 100}, .step_ns = 10, .of = Field::Attribute(AttributeScope::kSpan, "n"), .exemplars_max = 5};
  const auto answer = store().Aggregate(plan);
  ASSERT_TRUE(answer.ok());
  ASSERT_THAT(*answer, SizeIs(1));
  const std::vector<Exemplar>& exemplars = (*answer)[0].exemplars;
  EXPECT_LE(exemplars.size(), 5);
  EXPECT_GE(exemplars.size(), 3);
  std::set<uint64_t> halves;
  for (const Exemplar& exemplar : exemplars) {
    EXPECT_EQ(exemplar.value, static_cast<double>(exemplar.start_unix_ns));
    EXPECT_EQ(NumberOf(exemplar.span_id.view()), exemplar.start_unix_ns + 1);
    halves.insert(exemplar.start_unix_ns / 50);
  }
  EXPECT_EQ(halves.size(), 2);
  EXPECT_TRUE(std::is_sorted(exemplars.begin(), exemplars.end(),
                             [](const auto& a, const auto& b) { return a.start_unix_ns < b.start_unix_ns; }));
  EXPECT_EQ(*store().Aggregate(plan), *answer);
}

// Scenario: more groups than allowed, more bytes than allowed, a plan that is not valid, an empty range.
// Guarantees: refused, never cut; nothing for no time.
TEST_P(StoreConformance, BoundsSums) {
  if (!store().capabilities().aggregate) GTEST_SKIP() << "not declared";
  for (uint64_t i = 1; i <= 5; ++i) AppendEach({{.trace_id = MakeTraceId(i), .span_id = MakeSpanId(i)}});
  const std::vector<Field> by_id = {Field::Of(Intrinsic::kSpanId)};
  EXPECT_EQ(store().Aggregate({.group_by = by_id, .series_max = 4}).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(*store().Aggregate({.group_by = by_id, .series_max = 5}), SizeIs(5));
  EXPECT_EQ(store()
                .Aggregate({.starts = {0, 10'000}, .step_ns = 1, .group_by = by_id, .limits = {.bytes_max = 1U << 20}})
                .status()
                .code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(store().Aggregate({.step_ns = 5}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(*store().Aggregate({.starts = {5, 5}, .step_ns = 5}), SizeIs(0));
}

}  // namespace
}  // namespace spanloom::store
