// SPDX-License-Identifier: Apache-2.0
//
// Conformance: the parts of a FetchPlan: joins, rows, columns, structure, pages, and limits.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "store/conformance/store_conformance.h"

namespace spanloom::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

SpanSpec SpanOf(uint64_t trace, uint64_t span, uint64_t start, std::string name = "op") {
  return {.trace_id = MakeTraceId(trace),
          .span_id = MakeSpanId(span),
          .name = std::move(name),
          .start_unix_ns = start,
          .end_unix_ns = start + 10};
}

Predicate Named(std::string_view name) {
  return Is(Intrinsic::kName, Value::String(name));
}

// Scenario: two spansets that are met in one trace by two spans, in another by one of them only.
// Guarantees: kAll wants each of them, kAny any; each row says which it meets.
TEST_P(StoreConformance, JoinsSpansets) {
  AppendEach({SpanOf(1, 1, 10, "a"), SpanOf(1, 2, 20, "b"), SpanOf(1, 3, 30, "c"), SpanOf(2, 4, 40, "a")});
  FetchPlan plan = {.spansets = {Named("a"), Named("b"), Predicate::Any({Named("a"), Named("b")})}};
  EXPECT_THAT(FindNumbers(plan), ElementsAre(2, 1));
  plan.join = FetchPlan::Join::kAll;
  const std::vector<SpanBatch> batches = Fetch(plan);
  ASSERT_EQ(batches.size(), 1);
  ASSERT_EQ(batches[0].traces.size(), 1);
  EXPECT_EQ(batches[0].traces[0].position, (FetchPosition{20, MakeTraceId(1)}));
  EXPECT_EQ(batches[0].traces[0].span_count, 3);
  EXPECT_THAT(batches[0].matches, ElementsAre(0b101, 0b110));
}

// Scenario: one span in the range that matches, others of its trace that do not, or are outside.
// Guarantees: matching rows are those within the range that match; the whole trace is all of it, in order.
TEST_P(StoreConformance, BringsMatchingRowsOrWholeTraces) {
  AppendEach({SpanOf(1, 3, 30, "a"), SpanOf(1, 1, 10, "a"), SpanOf(1, 2, 20, "b"), SpanOf(1, 4, 20, "c")});
  FetchPlan plan = {.spansets = {Named("a")}, .starts = {10, 25}, .fields = {Field::Of(Intrinsic::kName)}};
  std::vector<SpanBatch> batches = Fetch(plan);
  ASSERT_EQ(batches.size(), 1);
  EXPECT_EQ(batches[0].rows(), 1);
  plan.rows = FetchPlan::Rows::kWholeTrace;
  plan.wants_messages = true;
  batches = Fetch(plan);
  ASSERT_EQ(batches.size(), 1);
  std::string names;
  for (size_t row = 0; row < batches[0].rows(); ++row) {
    names += batches[0].columns[0].First(row).text();
    EXPECT_EQ(batches[0].messages[row].span().name(), batches[0].columns[0].First(row).text());
  }
  EXPECT_EQ(names, "abca");
  EXPECT_THAT(batches[0].matches, ElementsAre(1, 0, 0, 0));
}

// Scenario: a trace with a root that is outside of the range, of which one leaf matches.
// Guarantees: places are those in the whole trace, whatever rows come.
TEST_P(StoreConformance, SaysWhereRowsStandInTheirTrace) {
  SpanSpec root = SpanOf(1, 1, 10, "root");
  SpanSpec middle = SpanOf(1, 2, 20, "middle");
  middle.parent_span_id = root.span_id;
  SpanSpec leaf = SpanOf(1, 3, 30, "leaf");
  leaf.parent_span_id = middle.span_id;
  AppendEach({leaf, middle, root});
  const std::vector<SpanBatch> batches =
      Fetch({.spansets = {Named("leaf")}, .starts = {25, 35}, .wants_structure = true});
  ASSERT_EQ(batches.size(), 1);
  EXPECT_THAT(batches[0].places,
              ElementsAre(SpanPlace{.ordinal = 2, .parent_ordinal = 1, .left = 3, .right = 4, .parent_left = 2}));
}

// Scenario: forty traces, many of equal start, read in pages of three; then as stored.
// Guarantees: the pages one after the other are the one large answer: stable, nothing twice, nothing left out.
TEST_P(StoreConformance, PagesAreTheOneAnswer) {
  std::vector<SpanSpec> spans;
  for (uint64_t i = 0; i < 40; ++i) spans.push_back(SpanOf(100 - i, i + 1, 10 + i % 7, i % 3 == 0 ? "a" : "b"));
  AppendEach(spans);
  for (const Predicate& predicate : {Predicate(), Named("b")}) {
    const std::vector<uint64_t> all = FindNumbers({.spansets = {predicate}});
    std::vector<uint64_t> paged;
    FetchPlan plan = {.spansets = {predicate}, .traces_max = 3};
    while (true) {
      const std::vector<SpanBatch> page = Fetch(plan);
      if (page.empty()) break;
      for (const SpanBatch& batch : page) {
        for (const TraceRows& trace : batch.traces) {
          paged.push_back(NumberOf(trace.position.id.view()));
          plan.after = trace.position;
        }
      }
      ASSERT_LE(paged.size(), all.size());
    }
    EXPECT_EQ(paged, all);
    std::vector<uint64_t> as_stored = FindNumbers({.spansets = {predicate}, .order = FetchPlan::Order::kAsStored});
    std::sort(as_stored.begin(), as_stored.end());
    std::sort(paged.begin(), paged.end());
    EXPECT_EQ(as_stored, paged);
  }
  EXPECT_EQ(FindNumbers({.order = FetchPlan::Order::kAsStored, .traces_max = 5}).size(), 5);
}

// Scenario: spans over a range, cut in two at each of its times.
// Guarantees: those of [a, c) are those of [a, b) and those of [b, c), nothing twice.
TEST_P(StoreConformance, RangesAddUpProperty) {
  std::vector<SpanSpec> spans;
  for (uint64_t i = 1; i <= 30; ++i) spans.push_back(SpanOf(1 + i % 6, i, i * 7 % 20));
  AppendEach(spans);
  const std::vector<uint64_t> whole = MatchingSpans({}, {3, 17});
  for (uint64_t cut = 3; cut <= 17; ++cut) {
    std::vector<uint64_t> parts = MatchingSpans({}, {3, cut});
    const std::vector<uint64_t> rest = MatchingSpans({}, {cut, 17});
    parts.insert(parts.end(), rest.begin(), rest.end());
    std::sort(parts.begin(), parts.end());
    EXPECT_EQ(parts, whole) << cut;
  }
}

// Scenario: only some traces are asked for, one of them twice, one that is not there.
// Guarantees: those, once, in the order asked for.
TEST_P(StoreConformance, FindsGivenTraces) {
  AppendEach({SpanOf(1, 1, 10), SpanOf(2, 2, 20), SpanOf(3, 3, 30)});
  const std::vector<otlp::TraceId> ids = {MakeTraceId(1), MakeTraceId(3), MakeTraceId(1), MakeTraceId(404)};
  EXPECT_THAT(FindNumbers({.traces = ids}), ElementsAre(3, 1));
  EXPECT_THAT(FindNumbers({.traces = ids, .traces_max = 1}), ElementsAre(3));
}

// Scenario: values of every kind as a column.
// Guarantees: they come as they were sent, an array as its elements, each with its kind.
TEST_P(StoreConformance, ColumnsKeepEveryKindOfValue) {
  SpanSpec span = SpanOf(1, 1, 10);
  span.attributes = {{"string", "text"},
                     {"bool", true},
                     {"int", int64_t{-7}},
                     {"double", 0.5},
                     {"bytes", MakeBytes(std::string_view("\0\xff", 2))},
                     {"array", MakeArray({int64_t{1}, "a", MakeArray({true})})},
                     {"map", MakeMap({{"k", 1.5}})},
                     {"empty", EncodedValue{}}};
  AppendEach({span});
  FetchPlan plan;
  for (const auto& [key, value] : span.attributes) plan.fields.push_back(Field::Attribute(AttributeScope::kSpan, key));
  const std::vector<SpanBatch> batches = Fetch(plan);
  ASSERT_EQ(batches.size(), 1);
  std::string described;
  for (const Column& column : batches[0].columns) {
    for (const Cell& cell : column.cells) StrAppend(described, static_cast<int>(cell.kind()), ":", cell.ToText(), " ");
    described += "| ";
  }
  EXPECT_EQ(described, StrCat("4:text | 1:true | 2:-7 | 3:0.5 | 5:", std::string_view("\0\xff", 2),
                              " | 2:1 4:a 6:[true] | 6:{\"k\":1.5} | | "));
}

// Scenario: plans that break each rule.
// Guarantees: kInvalidArgument, before anything is read.
TEST_P(StoreConformance, RefusesPlansThatAreNotValid) {
  const auto code = [this](FetchPlan plan) { return store().Fetch(std::move(plan)).status().code(); };
  EXPECT_EQ(code({.spansets = {}}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.spansets = std::vector<Predicate>(65)}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.fields = std::vector<Field>(257)}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.order = FetchPlan::Order::kAsStored, .after = FetchPosition{}}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.spansets = {Has(Field::Of(Intrinsic::kName), Comparison::kMatches, Value::String("("))}}),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.spansets = std::vector<Predicate>(64)}), absl::StatusCode::kOk);
}

// Scenario: a deadline that has passed, and a stop that was asked for, for every question.
// Guarantees: kDeadlineExceeded and kCancelled, not an answer.
TEST_P(StoreConformance, StopsWhenItIsTold) {
  AppendEach({SpanOf(1, 1, 10)});
  std::stop_source stop;
  stop.request_stop();
  const auto expect = [this](const ReadLimits& limits, absl::StatusCode code) {
    EXPECT_EQ(FetchTraces(store(), {.limits = limits}).status().code(), code);
    EXPECT_EQ(FetchTraces(store(), {.order = FetchPlan::Order::kAsStored, .limits = limits}).status().code(), code);
    EXPECT_EQ(store().GetTrace(MakeTraceId(1), {}, limits).status().code(), code);
    EXPECT_EQ(store().Traces({.limits = limits}).status().code(), code);
    EXPECT_EQ(store().GroupTraces({.limits = limits}).status().code(), code);
    EXPECT_EQ(store().Services({.limits = limits}).status().code(), code);
    EXPECT_EQ(store().Operations("s", {.limits = limits}).status().code(), code);
    EXPECT_EQ(store().Keys({.limits = limits}).status().code(), code);
    EXPECT_EQ(store().Values({.field = Field::Of(Intrinsic::kName), .names = {.limits = limits}}).status().code(),
              code);
    if (store().capabilities().aggregate) {
      EXPECT_EQ(store().Aggregate({.limits = limits}).status().code(), code);
    }
    if (store().capabilities().tail) {
      EXPECT_EQ(store().Tail({.limits = limits}, std::nullopt, 1).status().code(), code);
    }
    if (store().capabilities().requests) {
      EXPECT_EQ(store().Requests({.limits = limits}).status().code(), code);
    }
  };
  expect({.deadline_steady_ns = clock().SteadyNs()}, absl::StatusCode::kDeadlineExceeded);
  expect({.stop = stop.get_token()}, absl::StatusCode::kCancelled);
}

// Scenario: a stop that is asked for between two batches.
// Guarantees: the next batch does not come.
TEST_P(StoreConformance, StopsBetweenBatches) {
  RequestBuilder builder;
  builder.FromService("s");
  for (uint64_t i = 1; i <= 20'000; ++i) builder.Add(SpanOf(i / 1'000, i, i));
  Append(builder.Build());
  std::stop_source stop;
  const auto cursor = store().Fetch({.limits = {.stop = stop.get_token()}});
  ASSERT_TRUE(cursor.ok());
  const auto first = (*cursor)->Next();
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE(first->has_value());
  EXPECT_LT((*first)->rows(), 20'000);
  EXPECT_GT((*cursor)->stats().spans_inspected, 0);
  stop.request_stop();
  EXPECT_EQ((*cursor)->Next().status().code(), absl::StatusCode::kCancelled);
}

// Scenario: traces of several kilobytes each, under a limit that holds two of them; then one that none fits.
// Guarantees: batches are cut so that each fits; a trace that does not fit alone is refused, by its id.
TEST_P(StoreConformance, KeepsWithinItsBytes) {
  for (uint64_t trace = 1; trace <= 6; ++trace) {
    SpanSpec span = SpanOf(trace, trace, trace);
    span.attributes = {{"large", std::string(10'000, 'x')}};
    AppendEach({span});
  }
  FetchPlan plan = {.wants_messages = true, .limits = {.bytes_max = 25'000}};
  const std::vector<SpanBatch> batches = Fetch(plan);
  size_t rows = 0;
  for (const SpanBatch& batch : batches) {
    EXPECT_LE(batch.rows(), 2);
    rows += batch.rows();
  }
  EXPECT_EQ(rows, 6);
  plan.limits.bytes_max = 5'000;
  const auto cursor = store().Fetch(plan);
  ASSERT_TRUE(cursor.ok());
  const Status refused = (*cursor)->Next().status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(refused.message()), HasSubstr(MakeTraceId(6).Hex()));
  EXPECT_EQ(store().GetTrace(MakeTraceId(6), {}, plan.limits).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(FetchTraces(store(), {.limits = {.bytes_max = 25'000}}).status().code(),
            absl::StatusCode::kResourceExhausted);
}

// Scenario: a batch is kept while its traces are removed, and the cursor is gone.
// Guarantees: its cells and messages stay what they were.
TEST_P(StoreConformance, BatchesOutliveWhatTheyCameFrom) {
  AppendEach({SpanOf(1, 1, 10, "a name that is longer than any short string")});
  const std::vector<SpanBatch> batches =
      Fetch({.fields = {Field::Of(Intrinsic::kName), Field::Of(Intrinsic::kSpanId)}, .wants_messages = true});
  ASSERT_EQ(batches.size(), 1);
  ASSERT_TRUE(store().SetRetention({.bytes_max = 0}).ok());
  EXPECT_EQ(store().Stats().spans, 0);
  EXPECT_EQ(batches[0].columns[0].First(0).text(), "a name that is longer than any short string");
  EXPECT_EQ(NumberOf(batches[0].columns[1].First(0).text()), 1);
  EXPECT_EQ(batches[0].messages[0].span().name(), "a name that is longer than any short string");
  EXPECT_THAT(FindNumbers({}), IsEmpty());
}

// Scenario: a trace of a hundred thousand spans, each the child of the one before; columns, places, and predicates
// about the trace.
// Guarantees: nothing takes time that grows with the square of its size.
TEST_P(StoreConformance, AnswersForALongChain) {
  if (!GetParam().runs_large_tests) GTEST_SKIP() << "looks at everything for each answer";
  constexpr uint64_t kSpans = 100'000;
  for (uint64_t first = 1; first <= kSpans; first += 10'000) {
    RequestBuilder builder;
    builder.FromService("s");
    for (uint64_t i = first; i < first + 10'000; ++i) {
      SpanSpec span = SpanOf(1, i, i);
      span.parent_span_id = MakeSpanId(i - 1);
      builder.Add(span);
    }
    Append(builder.Build());
  }
  const std::vector<SpanBatch> batches =
      Fetch({.spansets = {Predicate::All({Is(Intrinsic::kTraceSpanCount, Value::Int(kSpans)),
                                          Has(Field::Of(Intrinsic::kChildCount), Comparison::kEqual, Value::Int(1))})},
             .fields = {Field::Of(Intrinsic::kNestedSetLeft)},
             .wants_structure = true});
  ASSERT_EQ(batches.size(), 1);
  EXPECT_EQ(batches[0].rows(), kSpans - 1);
  EXPECT_EQ(batches[0].places.back().left, static_cast<int32_t>(kSpans - 1));
  const auto rows = store().Traces({});
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->rows.at(0).spans, kSpans);
}

}  // namespace
}  // namespace spanloom::store
