// SPDX-License-Identifier: Apache-2.0
//
// Conformance: the summary tables of traces and of requests.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/conformance/store_conformance.h"

namespace spanloom::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr uint64_t kSecondNs = 1'000'000'000;

SpanSpec SpanOf(uint64_t trace, uint64_t span, uint64_t start, uint64_t end, std::string name = "op") {
  return {.trace_id = MakeTraceId(trace),
          .span_id = MakeSpanId(span),
          .name = std::move(name),
          .start_unix_ns = start,
          .end_unix_ns = end};
}

template <typename Row>
std::vector<uint64_t> NumbersOf(const StatusOr<RowPage<Row>>& page, const otlp::TraceId& (*id_of)(const Row&)) {
  EXPECT_TRUE(page.ok()) << page.status();
  std::vector<uint64_t> numbers;
  if (!page.ok()) return numbers;
  for (const Row& row : page->rows) numbers.push_back(NumberOf(id_of(row).view()));
  return numbers;
}

std::vector<uint64_t> NumbersOf(const StatusOr<RowPage<TraceRow>>& page) {
  return NumbersOf<TraceRow>(page, [](const TraceRow& row) -> const otlp::TraceId& { return row.id; });
}
std::vector<uint64_t> NumbersOf(const StatusOr<RowPage<RequestRow>>& page) {
  return NumbersOf<RequestRow>(page, [](const RequestRow& row) -> const otlp::TraceId& { return row.key.trace_id; });
}

// Scenario: a trace whose root comes late, with an error behind it.
// Guarantees: the row follows the spans, and its version grows with each change, and only then.
TEST_P(StoreConformance, TraceRowsFollowTheirSpans) {
  SpanSpec child = SpanOf(1, 2, 20, 30);
  child.parent_span_id = MakeSpanId(1);
  AppendEach({child});
  const TraceRow early = store().Traces({})->rows.at(0);
  EXPECT_EQ(early.orphans, 1);
  EXPECT_EQ(early.root_name, std::nullopt);
  EXPECT_EQ(store().Traces({})->rows.at(0), early);

  SpanSpec root = SpanOf(1, 1, 10, 40, "root");
  root.status_code = otlp::StatusCode::kError;
  AppendEach({root});
  const TraceRow late = store().Traces({})->rows.at(0);
  EXPECT_GT(late.version, early.version);
  EXPECT_EQ(late.root_name, "root");
  EXPECT_EQ(late.root_service, "s");
  EXPECT_EQ(late.start_unix_ns, 10);
  EXPECT_EQ(late.duration_ns(), 30);
  EXPECT_EQ(late.errors, 1);
  EXPECT_EQ(late.orphans, 0);
  EXPECT_THAT(late.services, ElementsAre(ServiceSpans{.service = "s", .spans = 2, .errors = 1}));
}

// Scenario: five traces, two of equal duration, one without a root; sorted by several columns, both ways.
// Guarantees: rows without a value come last, ties go by id, either way.
TEST_P(StoreConformance, TraceRowsAreSorted) {
  SpanSpec orphan = SpanOf(5, 5, 50, 52);
  orphan.parent_span_id = MakeSpanId(99);
  AppendEach({SpanOf(1, 1, 10, 15, "c"), SpanOf(2, 2, 20, 29, "a"), SpanOf(3, 3, 30, 35, "b"),
              SpanOf(4, 4, 40, 41, "d"), orphan});
  const auto sorted = [this](TraceColumn column, bool is_descending) {
    return NumbersOf(store().Traces({.order_by = column, .is_descending = is_descending}));
  };
  EXPECT_THAT(sorted(TraceColumn::kStart, true), ElementsAre(5, 4, 3, 2, 1));
  EXPECT_THAT(sorted(TraceColumn::kDuration, true), ElementsAre(2, 1, 3, 5, 4));
  EXPECT_THAT(sorted(TraceColumn::kDuration, false), ElementsAre(4, 5, 1, 3, 2));
  EXPECT_THAT(sorted(TraceColumn::kRootName, false), ElementsAre(2, 3, 1, 4, 5));
  EXPECT_THAT(sorted(TraceColumn::kRootName, true), ElementsAre(4, 1, 3, 2, 5));
}

// Scenario: filters by column, by time of the first span, and by id; one that is not valid.
// Guarantees: all conditions hold; the rules are those of conditions on spans.
TEST_P(StoreConformance, TraceRowsAreFiltered) {
  AppendEach({SpanOf(1, 1, 10, 15, "a"), SpanOf(1, 9, 90, 95), SpanOf(2, 2, 20, 29, "b"), SpanOf(3, 3, 30, 35, "b")});
  const auto filtered = [this](RowFilter<TraceColumn> filter) {
    return NumbersOf(store().Traces({.filter = std::move(filter), .order_by = TraceColumn::kId}));
  };
  EXPECT_THAT(filtered({.all = {{TraceColumn::kRootName, Comparison::kEqual, Value::String("b")}}}), ElementsAre(3, 2));
  EXPECT_THAT(filtered({.starts = {11, 90}}), ElementsAre(3, 2));
  EXPECT_THAT(filtered({.all = {{TraceColumn::kService, Comparison::kMatches, Value::String("[s]")},
                                {TraceColumn::kSpans, Comparison::kGreater, Value::Int(1)}}}),
              ElementsAre(1));
  EXPECT_THAT(filtered({.traces = {MakeTraceId(2), MakeTraceId(404)}}), ElementsAre(2));
  EXPECT_EQ(
      store().Traces({.filter = {.all = {{TraceColumn::kSpans, Comparison::kMatches, Value::Int(1)}}}}).status().code(),
      absl::StatusCode::kInvalidArgument);
}

// Scenario: thirty traces of few durations, in pages of four; a page of another order; no page at all.
// Guarantees: pages one after the other are the whole; what is no page of this question is refused.
TEST_P(StoreConformance, TraceRowsComeInPages) {
  for (uint64_t i = 1; i <= 30; ++i) AppendEach({SpanOf(i, i, i, i + i % 4)});
  RowQuery<TraceColumn> query = {.order_by = TraceColumn::kDuration};
  const std::vector<uint64_t> all = NumbersOf(store().Traces(query));
  ASSERT_THAT(all, SizeIs(30));
  query.rows_max = 4;
  std::vector<uint64_t> paged;
  do {
    const auto page = store().Traces(query);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const uint64_t number : NumbersOf(page)) paged.push_back(number);
    query.page = page->next;
  } while (!query.page.empty());
  EXPECT_EQ(paged, all);

  query.page = store().Traces({.order_by = TraceColumn::kStart, .rows_max = 4})->next;
  ASSERT_FALSE(query.page.empty());
  EXPECT_EQ(store().Traces(query).status().code(), absl::StatusCode::kInvalidArgument);
  query.page = "x";
  EXPECT_EQ(store().Traces(query).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store().Traces({.rows_max = 0}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store().Traces({.limits = {.bytes_max = 1'000}}).status().code(), absl::StatusCode::kResourceExhausted);
}

// Scenario: traces over two steps, of two roots and one without.
// Guarantees: groups by column and step, sorted, with sums of a column.
TEST_P(StoreConformance, TraceRowsAreGrouped) {
  SpanSpec orphan = SpanOf(4, 4, 15, 16);
  orphan.parent_span_id = MakeSpanId(99);
  AppendEach({SpanOf(1, 1, 10, 15, "a"), SpanOf(2, 2, 12, 29, "b"), SpanOf(3, 3, 25, 32, "a"), orphan});
  const auto groups = store().GroupTraces({.filter = {.starts = {10, 30}},
                                           .step_ns = 10,
                                           .group_by = {TraceColumn::kRootName},
                                           .of = TraceColumn::kDuration,
                                           .wants_distribution = true});
  ASSERT_TRUE(groups.ok()) << groups.status();
  ASSERT_THAT(*groups, SizeIs(3));
  EXPECT_THAT((*groups)[0].group, ElementsAre(Value()));
  EXPECT_THAT((*groups)[1].group, ElementsAre(Value::String("a")));
  EXPECT_EQ((*groups)[1].steps[0].sum, 5);
  EXPECT_EQ((*groups)[1].steps[1].sum, 7);
  EXPECT_EQ((*groups)[1].steps[1].distribution.count(), 1);
  EXPECT_EQ((*groups)[2].steps[1].spans, 0);
  EXPECT_EQ(store().GroupTraces({.step_ns = 10}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store().GroupTraces({.group_by = {TraceColumn::kId}, .series_max = 2}).status().code(),
            absl::StatusCode::kResourceExhausted);
}

SpanSpec RequestOf(uint64_t trace, uint64_t span, uint64_t arrival, Attributes attributes = {}) {
  SpanSpec request = SpanOf(trace, span, arrival, arrival + kSecondNs, "request");
  request.attributes = std::move(attributes);
  return request;
}

// Scenario: a trace with two requests, one with one, one with none.
// Guarantees: a row for each request, with what the deriver says; filters and orders by column, absent values last.
TEST_P(StoreConformance, RequestRowsAreDerived) {
  if (!store().capabilities().requests) GTEST_SKIP() << "not declared";
  AppendEach({RequestOf(1, 1, 10, {{"model", "m"}, {"ttft", int64_t{50}}}), RequestOf(1, 2, 20, {{"model", "n"}}),
              RequestOf(2, 3, 30, {{"model", "m"}, {"ttft", int64_t{70}}}), SpanOf(3, 4, 40, 50)});
  EXPECT_THAT(NumbersOf(store().Requests({.order_by = RequestColumn::kArrival})), ElementsAre(2, 1, 1));
  const auto by_ttft = store().Requests({.order_by = RequestColumn::kTtft});
  ASSERT_TRUE(by_ttft.ok());
  ASSERT_THAT(by_ttft->rows, SizeIs(3));
  EXPECT_EQ(by_ttft->rows[0].ttft_ns, 70);
  EXPECT_EQ(by_ttft->rows[2].ttft_ns, std::nullopt);
  EXPECT_EQ(by_ttft->rows[0].service, "s");
  EXPECT_EQ(by_ttft->rows[0].anatomy_version, 1);
  EXPECT_THAT(
      NumbersOf(store().Requests(
          {.filter = {.starts = {10, 30}, .all = {{RequestColumn::kModel, Comparison::kEqual, Value::String("m")}}}})),
      ElementsAre(1));
  EXPECT_THAT(NumbersOf(store().Requests({.filter = {.traces = {MakeTraceId(2)}}})), ElementsAre(2));
  EXPECT_THAT(NumbersOf(store().Requests({.filter = {.traces = {MakeTraceId(3)}}})), IsEmpty());

  const auto groups = store().GroupRequests({.group_by = {RequestColumn::kModel}, .of = RequestColumn::kTtft});
  ASSERT_TRUE(groups.ok());
  ASSERT_THAT(*groups, SizeIs(2));
  EXPECT_EQ((*groups)[0].steps[0].spans, 2);
  EXPECT_EQ((*groups)[0].steps[0].sum, 120);
  EXPECT_EQ((*groups)[1].steps[0].values, 0);
}

// Scenario: a request whose trace is not complete; a late span completes it; another one never is.
// Guarantees: rows are provisional until then, or until enough time has passed, and are replaced by key.
TEST_P(StoreConformance, RequestRowsAreReplacedByLateSpans) {
  if (!store().capabilities().requests) GTEST_SKIP() << "not declared";
  const auto now = static_cast<uint64_t>(clock().UnixNs());
  AppendEach({RequestOf(1, 1, now), RequestOf(2, 2, now)});
  const auto provisional = [this](uint64_t trace) {
    const auto page = store().Requests({.filter = {.traces = {MakeTraceId(trace)}}});
    EXPECT_TRUE(page.ok());
    EXPECT_THAT(page->rows, SizeIs(1));
    return page->rows.at(0).is_provisional;
  };
  EXPECT_TRUE(provisional(1));
  EXPECT_TRUE(provisional(2));
  AppendEach({SpanOf(1, 3, now + 1, now + 2, "end")});
  EXPECT_FALSE(provisional(1));
  EXPECT_TRUE(provisional(2));
  clock().Advance(20 * static_cast<int64_t>(kSecondNs));
  EXPECT_FALSE(provisional(2));
}

}  // namespace
}  // namespace spanloom::store
