// SPDX-License-Identifier: Apache-2.0

#include "pipeline/slice_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/testing/requests.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;

constexpr size_t kNoLimit = 1 << 30;

// Scenario: three requests, taken without limits.
// Guarantees: one batch with all spans in order; the queue is empty and counts nothing.
TEST(SliceQueue, TakesEverythingWithoutLimits) {
  SliceQueue queue;
  queue.Push(BatchOf({"a", "b"}));
  queue.Push(BatchOf({"c"}));
  EXPECT_EQ(queue.span_count(), 3u);
  EXPECT_THAT(NamesOf(queue.Take(kNoLimit, kNoLimit)), ElementsAre("a", "b", "c"));
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.span_count(), 0u);
  EXPECT_EQ(queue.wire_bytes(), 0u);
}

// Scenario: a limit of two spans cuts through requests.
// Guarantees: each batch has two, none is lost, doubled or reordered.
TEST(SliceQueue, SplitsSlicesAtTheSpanLimit) {
  SliceQueue queue;
  queue.Push(BatchOf({"a", "b", "c"}));
  queue.Push(BatchOf({"d", "e"}));
  EXPECT_THAT(NamesOf(queue.Take(2, kNoLimit)), ElementsAre("a", "b"));
  EXPECT_THAT(NamesOf(queue.Take(2, kNoLimit)), ElementsAre("c", "d"));
  EXPECT_THAT(NamesOf(queue.Take(2, kNoLimit)), ElementsAre("e"));
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.wire_bytes(), 0u);
}

// Scenario: requests that fit into the byte limit one at a time.
// Guarantees: each becomes a batch of its own, uncut.
TEST(SliceQueue, ClosesABatchAtTheByteLimit) {
  SliceQueue queue;
  const size_t request_bytes = BatchOf({"a", "b"}).wire_bytes();
  queue.Push(BatchOf({"a", "b"}));
  queue.Push(BatchOf({"c", "d"}));
  EXPECT_THAT(NamesOf(queue.Take(kNoLimit, request_bytes + 1)), ElementsAre("a", "b"));
  EXPECT_THAT(NamesOf(queue.Take(kNoLimit, request_bytes + 1)), ElementsAre("c", "d"));
}

// Scenario: one request larger than the byte limit, and a limit smaller than a span.
// Guarantees: it is split by spans; a single span is passed on whatever its size.
TEST(SliceQueue, SplitsARequestThatIsTooLargeAlone) {
  SliceQueue queue;
  queue.Push(BatchOf({"a", "b", "c", "d"}));
  EXPECT_THAT(NamesOf(queue.Take(kNoLimit, queue.wire_bytes() / 2 + 1)), ElementsAre("a", "b"));
  EXPECT_THAT(NamesOf(queue.Take(kNoLimit, 1)), ElementsAre("c"));
  EXPECT_THAT(NamesOf(queue.Take(kNoLimit, 1)), ElementsAre("d"));
}

// Scenario: a request whose spans were all filtered.
// Guarantees: it takes no place.
TEST(SliceQueue, IgnoresSlicesWithoutSpans) {
  otlp::Batch batch = BatchOf({"a"});
  batch.slices()[0].DropIf([](const otlp::SpanContext&) { return true; });
  SliceQueue queue;
  queue.Push(batch);
  EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace spanloom::pipeline
