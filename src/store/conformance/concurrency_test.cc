// SPDX-License-Identifier: Apache-2.0
//
// Conformance: several threads at once. Says most under ThreadSanitizer.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "store/conformance/store_conformance.h"

namespace spanloom::store {
namespace {

constexpr uint64_t kWriters = 3;
constexpr uint64_t kTraces = 50;  // written to by all writers
constexpr uint64_t kSpansPerWriter = 400;

SpanSpec SpanOf(uint64_t writer, uint64_t number) {
  return {.trace_id = MakeTraceId(1 + number % kTraces),
          .span_id = MakeSpanId(1 + writer * kSpansPerWriter + number),
          .name = "op",
          .start_unix_ns = 1 + number};
}

// Scenario: three threads add to the same traces while two ask for all traces, single traces and names.
// Guarantees: no answer is torn: traces are in order, spans are valid; in the end everything is there.
TEST_P(StoreConformance, AppendsAndReadsMayOverlap) {
  std::atomic<uint64_t> writers_left = kWriters;
  std::vector<std::thread> threads;
  for (uint64_t writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&, writer] {
      for (uint64_t i = 0; i < kSpansPerWriter; ++i) AppendEach({SpanOf(writer, i)});
      --writers_left;
    });
  }
  for (int reader = 0; reader < 2; ++reader) {
    threads.emplace_back([&] {
      while (writers_left > 0) {
        for (const Trace& trace :
             Find({.spansets = {Is(Intrinsic::kService, Value::String("s"))}, .traces_max = kTraces})) {
          ASSERT_TRUE(std::is_sorted(trace.spans.begin(), trace.spans.end(), [](const auto& a, const auto& b) {
            return a.span().start_unix_ns() < b.span().start_unix_ns();
          }));
        }
        ASSERT_LE(store().Stats().traces, kTraces);
        ASSERT_LE(store().Operations("s", {})->size(), 1);
        static_cast<void>(store().GetTrace(MakeTraceId(1), {}, {}));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store().Stats().spans, kWriters * kSpansPerWriter);
  EXPECT_EQ(Find({.traces_max = 2 * kTraces}).size(), kTraces);
}

// Scenario: three threads add to the same traces while two follow, one of them with a question about traces.
// Guarantees: each of these gets every span once, those of one thread in order; they miss none.
TEST_P(StoreConformance, AppendsMayBeFollowed) {
  if (!store().capabilities().tail) GTEST_SKIP() << "not declared";
  const FetchPlan about_spans = {.fields = {Field::Of(Intrinsic::kSpanId)}};
  const FetchPlan about_traces = {.fields = {Field::Of(Intrinsic::kSpanId), Field::Of(Intrinsic::kTraceSpanCount)}};
  const TailPosition begin = store().Tail({}, std::nullopt, 1)->next;
  std::vector<std::thread> threads;
  for (uint64_t writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&, writer] {
      for (uint64_t i = 0; i < kSpansPerWriter; ++i) AppendEach({SpanOf(writer, i)});
    });
  }
  for (const FetchPlan* const plan : {&about_spans, &about_traces}) {
    threads.emplace_back([&, plan] {
      std::vector<uint64_t> next(kWriters);  // number of the span that a writer adds next
      TailPosition position = begin;
      for (uint64_t left = kWriters * kSpansPerWriter; left > 0;) {
        const auto batch = store().Tail(*plan, position, 50);
        ASSERT_TRUE(batch.ok()) << batch.status();
        ASSERT_EQ(batch->spans_missed, 0);
        for (size_t row = 0; row < batch->spans.rows(); ++row, --left) {
          const uint64_t number = NumberOf(batch->spans.columns.at(0).First(row).text()) - 1;
          ASSERT_EQ(number % kSpansPerWriter, next[number / kSpansPerWriter]++);
        }
        position = batch->next;
        std::this_thread::yield();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// Scenario: a trace is stored; while others grow and move in the order, it is searched for again and again.
// Guarantees: a trace that was acknowledged before the search began is always found, wherever it moves meanwhile.
TEST_P(StoreConformance, ATraceThatMovesIsNotMissed) {
  if (!GetParam().runs_large_tests) GTEST_SKIP() << "looks at everything for each answer";
  constexpr uint64_t kMany = 2'000;
  for (uint64_t i = 1; i <= kMany; ++i) {
    AppendEach({{.trace_id = MakeTraceId(i), .span_id = MakeSpanId(i), .start_unix_ns = i}});
  }
  std::atomic<bool> is_done = false;
  std::jthread mover([&] {
    for (uint64_t i = 0; i < 1'000; ++i) {
      // The oldest trace becomes the newest.
      AppendEach({{.trace_id = MakeTraceId(1 + i), .span_id = MakeSpanId(kMany + i), .start_unix_ns = kMany + i}});
    }
    is_done = true;
  });
  while (!is_done) ASSERT_EQ(Find({.traces_max = 2 * kMany}).size(), kMany);
}

// Scenario: two threads add spans, one purges them again and again, two ask every kind of question.
// Guarantees: no answer is torn; when all is still, the counts add up: stored = delivered - purged.
TEST_P(StoreConformance, AppendsPurgesAndQuestionsMayOverlap) {
  if (!store().capabilities().purge) GTEST_SKIP() << "not declared";
  std::atomic<int> writers_left = 2;
  std::vector<std::thread> threads;
  for (uint64_t writer = 0; writer < 2; ++writer) {
    threads.emplace_back([&, writer] {
      for (uint64_t i = 0; i < kSpansPerWriter; ++i) {
        SpanSpec span = SpanOf(writer, i);
        span.name = i % 3 == 0 ? "kept" : "purged";
        AppendEach({span});
      }
      --writers_left;
    });
  }
  const PurgePlan purge = {.where = Is(Intrinsic::kName, Value::String("purged"))};
  threads.emplace_back([&] {
    while (writers_left > 0) {
      const Status status = store().Purge(purge).status();
      ASSERT_TRUE(status.ok()) << status;
    }
  });
  for (int reader = 0; reader < 2; ++reader) {
    threads.emplace_back([&] {
      const bool has_tail = store().capabilities().tail;
      TailPosition position = has_tail ? store().Tail({}, std::nullopt, 1)->next : TailPosition();
      while (writers_left > 0) {
        ASSERT_LE(Find({.traces_max = kTraces}).size(), kTraces);
        const auto page = store().Traces({.rows_max = kTraces});
        ASSERT_TRUE(page.ok());
        for (const TraceRow& row : page->rows) ASSERT_GT(row.spans, 0);
        ASSERT_TRUE(store().Aggregate({.group_by = {Field::Of(Intrinsic::kName)}}).ok());
        ASSERT_TRUE(store().Keys({}).ok());
        if (has_tail) position = store().Tail({}, position, 50)->next;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(store().Purge(purge).ok());
  EXPECT_EQ(store().Stats().spans + store().Stats().spans_purged, 2 * kSpansPerWriter);
  EXPECT_EQ(MatchingSpans({}), MatchingSpans(Is(Intrinsic::kName, Value::String("kept"))));
}

}  // namespace
}  // namespace spanloom::store
