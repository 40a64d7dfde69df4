// SPDX-License-Identifier: Apache-2.0
//
// Conformance: a reader of new spans gets each once, in order of arrival.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/conformance/store_conformance.h"

namespace spanloom::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

SpanSpec SpanOf(uint64_t number, std::string name = "op") {
  return {.trace_id = MakeTraceId(1 + number % 2),
          .span_id = MakeSpanId(number),
          .name = std::move(name),
          .start_unix_ns = 100 - number};
}

std::vector<uint64_t> SpansOf(const TailBatch& batch) {
  std::vector<uint64_t> numbers;
  for (const StoredSpan& span : batch.spans.messages) numbers.push_back(NumberOf(span.span().span_id().view()));
  return numbers;
}

// Scenario: spans before the reader begins, and others that come in two requests; the second read is in two parts.
// Guarantees: what was there before is not read; the rest once, as it arrived, in the traces that they are of.
TEST_P(StoreConformance, TailReadsWhatIsNew) {
  if (!store().capabilities().tail) GTEST_SKIP() << "not declared";
  const FetchPlan plan = {.wants_messages = true};
  AppendEach({SpanOf(1)});
  auto batch = store().Tail(plan, std::nullopt, 100);
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_THAT(SpansOf(*batch), IsEmpty());
  batch = store().Tail(plan, batch->next, 100);
  ASSERT_TRUE(batch.ok());
  EXPECT_THAT(SpansOf(*batch), IsEmpty());

  Append(RequestBuilder().FromService("s").Add(SpanOf(4)).Add(SpanOf(2)).Build());
  AppendEach({SpanOf(6), SpanOf(3)});
  batch = store().Tail(plan, batch->next, 3);
  ASSERT_TRUE(batch.ok());
  EXPECT_THAT(SpansOf(*batch), ElementsAre(4, 2, 6));
  ASSERT_EQ(batch->spans.traces.size(), 1);
  EXPECT_EQ(batch->spans.traces[0].row_count, 3);
  batch = store().Tail(plan, batch->next, 3);
  ASSERT_TRUE(batch.ok());
  EXPECT_THAT(SpansOf(*batch), ElementsAre(3));
  EXPECT_EQ(batch->spans_missed, 0);
  EXPECT_THAT(SpansOf(*store().Tail(plan, batch->next, 3)), IsEmpty());
}

// Scenario: conditions about the span, about its trace and its place; columns of all three.
// Guarantees: they hold for the trace as it is when it is read.
TEST_P(StoreConformance, TailSelectsAndBringsColumns) {
  if (!store().capabilities().tail) GTEST_SKIP() << "not declared";
  const TailPosition begin = store().Tail({}, std::nullopt, 1)->next;
  SpanSpec root = SpanOf(2, "root");
  SpanSpec child = SpanOf(4, "child");
  child.parent_span_id = root.span_id;
  AppendEach({child, SpanOf(3, "other"), root});
  const auto batch = store().Tail(
      {.spansets = {Predicate::All({Is(Intrinsic::kTraceRootName, Value::String("root")),
                                    Has(Field::Of(Intrinsic::kName), Comparison::kNotEqual, Value::String("root"))})},
       .fields = {Field::Of(Intrinsic::kName), Field::Of(Intrinsic::kNestedSetParent)}},
      begin, 100);
  ASSERT_TRUE(batch.ok()) << batch.status();
  ASSERT_EQ(batch->spans.rows(), 1);
  EXPECT_EQ(batch->spans.columns[0].First(0).text(), "child");
  EXPECT_GT(batch->spans.columns[1].First(0).int_value(), 0);
  EXPECT_EQ(batch->spans.traces[0].span_count, 2);
}

// Scenario: positions that are not the store's.
// Guarantees: kInvalidArgument.
TEST_P(StoreConformance, TailRefusesOtherPositions) {
  if (!store().capabilities().tail) GTEST_SKIP() << "not declared";
  TailPosition position = store().Tail({}, std::nullopt, 1)->next;
  ++position.epoch;
  EXPECT_EQ(store().Tail({}, position, 1).status().code(), absl::StatusCode::kInvalidArgument);
  --position.epoch;
  ++position.sequence;
  EXPECT_EQ(store().Tail({}, position, 1).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace spanloom::store
