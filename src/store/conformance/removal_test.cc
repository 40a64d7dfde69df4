// SPDX-License-Identifier: Apache-2.0
//
// Conformance: what a retention policy takes, and what is purged.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/conformance/store_conformance.h"

namespace spanloom::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint64_t kMinuteNs = 60ULL * 1'000'000'000;

class Ages {
 public:
  explicit Ages(const Clock& clock) : now_unix_ns_(static_cast<uint64_t>(clock.UnixNs())) {}

  [[nodiscard]] SpanSpec SpanOf(uint64_t trace, uint64_t span, uint64_t minutes_ago) const {
    return {.trace_id = MakeTraceId(trace),
            .span_id = MakeSpanId(span),
            .start_unix_ns = now_unix_ns_ - minutes_ago * kMinuteNs};
  }

 private:
  const uint64_t now_unix_ns_;
};

// Scenario: traces of several ages, one of them with an old and a young span; the clock moves on; a late old span.
// Guarantees: whole traces go, by their last span; the policy holds from then on; it can be lifted.
TEST_P(StoreConformance, RetainsByAge) {
  const Ages ages(clock());
  AppendEach({ages.SpanOf(1, 1, 50), ages.SpanOf(2, 2, 70), ages.SpanOf(3, 3, 90), ages.SpanOf(3, 4, 10)});
  const auto removed = store().SetRetention({.age_max_ns = 60 * kMinuteNs});
  ASSERT_TRUE(removed.ok()) << removed.status();
  EXPECT_EQ(removed->traces, 1);
  EXPECT_EQ(removed->spans, 1);
  EXPECT_GT(removed->bytes, 0);
  EXPECT_THAT(FindNumbers({}), ElementsAre(3, 1));
  EXPECT_EQ(store().Stats().spans_expired, 1);

  clock().Advance(20 * static_cast<int64_t>(kMinuteNs));
  ASSERT_TRUE(store().SetRetention({.age_max_ns = 60 * kMinuteNs}).ok());
  EXPECT_THAT(FindNumbers({}), ElementsAre(3));
  ASSERT_TRUE(store().SetRetention({}).ok());
  AppendEach({ages.SpanOf(5, 5, 1'000)});
  EXPECT_THAT(FindNumbers({}), ElementsAre(3, 5));
}

// Scenario: traces that take more bytes than the policy allows.
// Guarantees: the oldest go first, whole, until it holds; no more than that.
TEST_P(StoreConformance, RetainsByBytes) {
  const Ages ages(clock());
  for (uint64_t i = 1; i <= 10; ++i) AppendEach({ages.SpanOf(i, i, 100 - i)});
  const uint64_t bytes = store().Stats().bytes;
  const auto removed = store().SetRetention({.bytes_max = bytes / 2});
  ASSERT_TRUE(removed.ok());
  EXPECT_LE(store().Stats().bytes, bytes / 2);
  EXPECT_GT(store().Stats().bytes, bytes / 4);
  EXPECT_EQ(store().Stats().bytes + removed->bytes, bytes);
  EXPECT_EQ(FindNumbers({}).front(), 10);
  EXPECT_EQ(FindNumbers({}).size(), 10 - removed->traces);
}

// Scenario: spans of three traces are purged by trace, by time and by condition; then sent again.
// Guarantees: no question finds them: trace, search, names, rows, tail, statistics; the rest stays; again they are new.
TEST_P(StoreConformance, PurgesForGood) {
  if (!store().capabilities().purge) GTEST_SKIP() << "not declared";
  const Ages ages(clock());
  SpanSpec secret = ages.SpanOf(2, 3, 30);
  secret.name = "secret";
  const std::vector<SpanSpec> spans = {ages.SpanOf(1, 1, 50), ages.SpanOf(2, 2, 40), secret, ages.SpanOf(3, 4, 20)};
  const bool has_tail = store().capabilities().tail;
  const TailPosition begin = has_tail ? store().Tail({}, std::nullopt, 1)->next : TailPosition();
  AppendEach(spans);
  const auto names = [this] { return store().Operations("s", {})->size(); };
  ASSERT_EQ(store().Traces({})->rows.size(), 3);
  EXPECT_EQ(names(), 2);

  auto removed = store().Purge({.where = Is(Intrinsic::kName, Value::String("secret"))});
  ASSERT_TRUE(removed.ok()) << removed.status();
  EXPECT_EQ(removed->traces, 0);
  EXPECT_EQ(removed->spans, 1);
  EXPECT_EQ(names(), 1);
  EXPECT_EQ(GetTrace(MakeTraceId(2)).spans.size(), 1);
  EXPECT_THAT(MatchingSpans({}), ElementsAre(1, 2, 4));
  if (has_tail) {
    EXPECT_EQ(store().Tail({.wants_messages = true}, begin, 10)->spans.rows(), 3);
  }
  EXPECT_EQ(store().Traces({.filter = {.traces = {MakeTraceId(2)}}})->rows.at(0).spans, 1);

  removed = store().Purge({.traces = {MakeTraceId(1), MakeTraceId(404)}});
  ASSERT_TRUE(removed.ok());
  EXPECT_EQ(removed->traces, 1);
  EXPECT_EQ(store().GetTrace(MakeTraceId(1), {}, {}).status().code(), absl::StatusCode::kNotFound);
  const uint64_t start = spans[3].start_unix_ns;
  EXPECT_EQ(store().Purge({.starts = {start, start + 1}})->spans, 1);
  EXPECT_EQ(store().Purge({.starts = {start, start + 1}})->spans, 0);
  EXPECT_THAT(MatchingSpans({}), ElementsAre(2));
  EXPECT_EQ(store().Stats().spans_purged, 3);
  EXPECT_EQ(store().Stats().spans, 1);

  AppendEach(spans);
  EXPECT_THAT(MatchingSpans({}), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(store().Stats().spans_duplicate, 1);
  EXPECT_EQ(store().Purge({})->spans, 4);
  EXPECT_EQ(store().Stats().bytes, 0);
  EXPECT_THAT(*store().Services({}), IsEmpty());
  EXPECT_EQ(store()
                .Purge({.where = Has(Field::Of(Intrinsic::kName), Comparison::kMatches, Value::String("("))})
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace spanloom::store
