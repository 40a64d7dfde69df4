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
      AppendEach({{.trace_id = MakeTraceId(1 + i % 3), .span_id = MakeSpanId(kMany + i), .start_unix_ns = kMany + i}});
    }
    is_done = true;
  });
  while (!is_done) ASSERT_EQ(Find({.traces_max = 2 * kMany}).size(), kMany);
}

}  // namespace
}  // namespace spanloom::store
