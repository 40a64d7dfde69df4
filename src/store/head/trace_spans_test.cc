// SPDX-License-Identifier: Apache-2.0

#include "store/head/trace_spans.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "store/conformance/request_builder.h"

namespace spanloom::store::head {
namespace {

StoredSpan SpanThatStarts(uint64_t start_unix_ns, uint64_t number) {
  return {.wire = Bytes(Encode({.trace_id = {}, .span_id = MakeSpanId(number), .start_unix_ns = start_unix_ns})),
          .origin = std::make_shared<const SpanOrigin>()};
}

// `earlier`, then spans `first` to before `end`.
TraceSpans Continued(TraceSpans earlier, uint64_t first, uint64_t end) {
  std::vector<StoredSpan> added;
  for (uint64_t number = first; number < end; ++number) added.push_back(SpanThatStarts(number, number));
  earlier.Append(added);
  return earlier;
}

// Scenario: blocks of random sizes are added one after the other; earlier values are kept.
// Guarantees: every value has exactly its spans, in order of arrival, by index as by visit; sorting is stable.
TEST(TraceSpans, KeepsTheOrderOfArrivalProperty) {
  Rng rng(7);
  std::vector<TraceSpans> values(1);
  uint64_t count = 0;
  for (int i = 0; i < 60; ++i) {
    std::vector<StoredSpan> added;
    for (uint64_t j = 0; j < 1 + rng.Below(9); ++j) added.push_back(SpanThatStarts(rng.Below(5), count++));
    values.push_back(values.back());
    values.back().Append(added);
  }
  for (const TraceSpans& value : values) {
    uint64_t number = 0;
    value.ForEach([&](const StoredSpan& span) {
      EXPECT_EQ(span.span().span_id(), MakeSpanId(number));
      EXPECT_EQ(value.at(number).wire.data(), span.wire.data());
      ++number;
      return true;
    });
    EXPECT_EQ(number, value.size());
  }
  const std::vector<StoredSpan> sorted = values.back().ByStart();
  for (size_t i = 1; i < sorted.size(); ++i) {
    const otlp::SpanView before = sorted[i - 1].span();
    const otlp::SpanView after = sorted[i].span();
    ASSERT_LE(std::make_pair(before.start_unix_ns(), before.span_id()),
              std::make_pair(after.start_unix_ns(), after.span_id()));
  }
}

// Scenario: the visitor has enough after three spans.
// Guarantees: it is not called again.
TEST(TraceSpans, StopsWhenTheVisitorSaysSo) {
  TraceSpans spans;
  for (uint64_t i = 0; i < 5; ++i) spans = Continued(spans, i, i + 1);
  int visited = 0;
  spans.ForEach([&visited](const StoredSpan&) { return ++visited < 3; });
  EXPECT_EQ(visited, 3);
}

// Scenario: spans, the same with more behind them, and with one taken out and more behind it.
// Guarantees: only the former is a continuation.
TEST(TraceSpans, KnowsItsContinuations) {
  const TraceSpans spans = Continued({}, 0, 3);
  const TraceSpans longer = Continued(spans, 3, 5);
  EXPECT_TRUE(spans.IsBeginningOf(spans));
  EXPECT_TRUE(spans.IsBeginningOf(longer));
  EXPECT_TRUE(TraceSpans().IsBeginningOf(spans));
  EXPECT_FALSE(longer.IsBeginningOf(spans));
  for (size_t taken = 0; taken < 3; ++taken) {
    std::vector<StoredSpan> left;
    for (size_t i = 0; i < 3; ++i) {
      if (i != taken) left.push_back(spans.at(i));
    }
    TraceSpans rest;
    rest.Append(left);
    EXPECT_FALSE(spans.IsBeginningOf(Continued(rest, 3, 5))) << taken;
  }
}

}  // namespace
}  // namespace spanloom::store::head
