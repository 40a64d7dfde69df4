// SPDX-License-Identifier: Apache-2.0
//
// Conformance: which traces a query finds, and in which order.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "store/conformance/store_conformance.h"

namespace spanloom::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A span of the trace of that number, its start in nanoseconds, 10 ns long.
SpanSpec SpanOf(uint64_t trace, uint64_t span, uint64_t start) {
  return {
      .trace_id = MakeTraceId(trace), .span_id = MakeSpanId(span), .start_unix_ns = start, .end_unix_ns = start + 10};
}

// Scenario: traces that arrive in another order than they happened; two of equal start.
// Guarantees: newest first by the latest start, ties by trace id, and the limit takes the newest.
TEST_P(StoreConformance, FindsTheNewestFirst) {
  AppendEach({SpanOf(3, 1, 300), SpanOf(1, 2, 100), SpanOf(4, 3, 300), SpanOf(2, 4, 200), SpanOf(1, 5, 400)});
  EXPECT_THAT(FindNumbers({}), ElementsAre(1, 3, 4, 2));
  EXPECT_THAT(FindNumbers({.traces_max = 2}), ElementsAre(1, 3));
  EXPECT_THAT(FindNumbers({.traces_max = 0}), IsEmpty());
}

// Scenario: a trace whose newest span does not match, another whose newest one does.
// Guarantees: the order goes by matching spans only.
TEST_P(StoreConformance, OrdersByTheSpansThatMatch) {
  SpanSpec old_match = SpanOf(1, 1, 100);
  old_match.name = "match";
  SpanSpec new_match = SpanOf(2, 2, 200);
  new_match.name = "match";
  AppendEach({old_match, SpanOf(1, 3, 900), new_match});
  EXPECT_THAT(FindNumbers({.spansets = {Is(Intrinsic::kName, Value::String("match"))}}), ElementsAre(2, 1));
  EXPECT_THAT(FindNumbers({.spansets = {Is(Intrinsic::kName, Value::String("match"))}, .traces_max = 1}),
              ElementsAre(2));
}

// Scenario: a query that matches one span of three.
// Guarantees: the whole trace is returned.
TEST_P(StoreConformance, FindsWholeTraces) {
  AppendEach({SpanOf(1, 1, 100), SpanOf(1, 2, 200), SpanOf(1, 3, 300)});
  const std::vector<Trace> traces = Find({.starts = {200, 201}});
  ASSERT_EQ(traces.size(), 1);
  EXPECT_EQ(traces[0].spans.size(), 3);
}

// Scenario: starts just before, at and just behind both ends of the range; the extremes of 64 bits.
// Guarantees: the begin is included and the end is not, but for the end of time.
TEST_P(StoreConformance, TimeRangeIsHalfOpen) {
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  AppendEach({SpanOf(1, 1, 99), SpanOf(2, 2, 100), SpanOf(3, 3, 200), SpanOf(4, 4, 201)});
  EXPECT_THAT(FindNumbers({.starts = {100, 201}}), ElementsAre(3, 2));
  EXPECT_THAT(FindNumbers({.starts = {100, 100}}), IsEmpty());
  EXPECT_THAT(FindNumbers({.starts = {201, 100}}), IsEmpty());

  AppendEach({{.trace_id = MakeTraceId(5), .span_id = MakeSpanId(5), .start_unix_ns = 0},
              {.trace_id = MakeTraceId(6), .span_id = MakeSpanId(6), .start_unix_ns = kMax}});
  EXPECT_THAT(FindNumbers({.starts = {0, 1}}), ElementsAre(5));
  EXPECT_THAT(FindNumbers({.starts = {kMax}}), ElementsAre(6));
  EXPECT_THAT(FindNumbers({.starts = {kMax - 1, kMax}}), ElementsAre(6));
}

// Scenario: durations at and around both limits, one of them negative.
// Guarantees: both ends are inclusive; a negative duration is a duration.
TEST_P(StoreConformance, DurationsAreCompared) {
  for (uint64_t i = 1; i <= 4; ++i) {
    SpanSpec span = SpanOf(i, i, 1'000);
    span.end_unix_ns = 1'000 + 10 * i;
    AppendEach({span});
  }
  SpanSpec negative = SpanOf(5, 5, 1'000);
  negative.end_unix_ns = 995;
  AppendEach({negative});
  const auto at_least = [](int64_t ns) {
    return Has(Field::Of(Intrinsic::kDuration), Comparison::kGreaterOrEqual, Value::Int(ns));
  };
  const auto at_most = [](int64_t ns) {
    return Has(Field::Of(Intrinsic::kDuration), Comparison::kLessOrEqual, Value::Int(ns));
  };
  EXPECT_THAT(MatchingSpans(Predicate::All({at_least(20), at_most(30)})), ElementsAre(2, 3));
  EXPECT_THAT(MatchingSpans(at_most(-5)), ElementsAre(5));
  EXPECT_THAT(MatchingSpans(at_least(41)), IsEmpty());
}

// Scenario: a span that meets one condition, another of the same trace that meets the other one.
// Guarantees: it takes one span that meets all conditions.
TEST_P(StoreConformance, AllConditionsHoldForOneSpan) {
  SpanSpec span = SpanOf(1, 1, 100);
  span.name = "op";
  span.attributes = {{"k", "v"}};
  Append(RequestBuilder().FromService("a").Add(span).FromService("b").Add(SpanOf(1, 2, 200)).Build());

  const auto all = [](const char* service) {
    return Predicate::All({Is(Intrinsic::kService, Value::String(service)), Is(Intrinsic::kName, Value::String("op")),
                           HasTag("k", "v"), Is(Intrinsic::kDuration, Value::Int(10))});
  };
  EXPECT_THAT(FindNumbers({.spansets = {all("a")}, .starts = {100, 101}}), ElementsAre(1));
  EXPECT_THAT(FindNumbers({.spansets = {all("b")}}), IsEmpty());
  EXPECT_THAT(FindNumbers({.spansets = {all("a")}, .starts = {200, 201}}), IsEmpty());
}

// Scenario: the same attribute on the span, its resource, its scope and an event of it, in four traces.
// Guarantees: each of the four is a place where a condition looks.
TEST_P(StoreConformance, AttributesAreFoundWhereverTheyStand) {
  SpanSpec on_span = SpanOf(1, 1, 400);
  on_span.attributes = {{"k", "v"}};
  SpanSpec on_event = SpanOf(4, 4, 100);
  on_event.events = {{.time_unix_ns = 1, .name = "e", .attributes = {{"k", "v"}}}};
  Append(RequestBuilder()
             .FromService("s")
             .Add(on_span)
             .Add(on_event)
             .From({{"k", "v"}})
             .Add(SpanOf(2, 2, 300))
             .From({}, "scope", "1", {{"k", "v"}})
             .Add(SpanOf(3, 3, 200))
             .From({{"k", "w"}})
             .Add(SpanOf(5, 5, 500))
             .Build());
  EXPECT_THAT(FindNumbers({.spansets = {HasTag("k", "v")}}), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(
      FindNumbers({.spansets = {Predicate::All({Is(Intrinsic::kService, Value::String("s")), HasTag("k", "v")})}}),
      ElementsAre(1, 4));
}

// Scenario: values of all kinds, asked for by their text.
// Guarantees: numbers in decimal, bools as words, arrays as JSON; a prefix or another spelling is no match.
TEST_P(StoreConformance, AttributesAreComparedAsText) {
  SpanSpec span = SpanOf(1, 1, 100);
  span.attributes = {
      {"int", int64_t{-7}}, {"double", 0.5}, {"bool", false}, {"array", MakeArray({int64_t{1}, "a"})}, {"text", "abc"}};
  AppendEach({span});
  const auto finds = [this](const char* key, const char* value) {
    return !FindNumbers({.spansets = {HasTag(key, value)}}).empty();
  };
  EXPECT_TRUE(finds("int", "-7"));
  EXPECT_TRUE(finds("double", "0.5"));
  EXPECT_TRUE(finds("bool", "false"));
  EXPECT_TRUE(finds("array", R"([1,"a"])"));
  EXPECT_TRUE(finds("text", "abc"));
  EXPECT_FALSE(finds("text", "ab"));
  EXPECT_FALSE(finds("text", "ABC"));
  EXPECT_FALSE(finds("int", "-7.0"));
  EXPECT_FALSE(finds("nothing", ""));
}

// Scenario: errors and kinds, asked for as older interfaces do.
// Guarantees: the tags of span_tags.h are conditions, and error=false means "not an error".
TEST_P(StoreConformance, SpanFieldsAreFoundAsTags) {
  SpanSpec failed = SpanOf(1, 1, 200);
  failed.status_code = otlp::StatusCode::kError;
  failed.status_message = "boom";
  failed.kind = otlp::SpanKind::kServer;
  AppendEach({failed, SpanOf(2, 2, 100)});
  EXPECT_THAT(FindNumbers({.spansets = {HasTag("error", "true")}}), ElementsAre(1));
  EXPECT_THAT(FindNumbers({.spansets = {HasTag("error", "false")}}), ElementsAre(2));
  EXPECT_THAT(
      FindNumbers(
          {.spansets = {Predicate::All({HasTag("span.kind", "server"), HasTag("otel.status_description", "boom")})}}),
      ElementsAre(1));
}

}  // namespace
}  // namespace spanloom::store
