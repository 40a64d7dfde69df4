// SPDX-License-Identifier: Apache-2.0

#include "store/trace_row.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/conformance/request_builder.h"
#include "store/conformance/stored_traces.h"

namespace spanloom::store {
namespace {

using testing::ElementsAre;

SpanSpec SpanOf(uint64_t span, uint64_t parent, uint64_t start, uint64_t end) {
  return {.trace_id = MakeTraceId(1),
          .span_id = MakeSpanId(span),
          .parent_span_id = MakeSpanId(parent),
          .name = "op",
          .start_unix_ns = start,
          .end_unix_ns = end};
}

// Scenario: two services, a failed span, an orphan, two spans without a parent, one that ends before it starts.
// Guarantees: the root is the first span without a parent; counts, times and services are those of all spans.
TEST(TraceRow, SumsUpATrace) {
  SpanSpec root = SpanOf(1, 0, 20, 90);
  root.name = "root";
  SpanSpec failed = SpanOf(2, 1, 30, 10);
  failed.status_code = otlp::StatusCode::kError;
  const Trace trace = TraceOf(RequestBuilder()
                                  .FromService("b")
                                  .Add(SpanOf(3, 77, 10, 15))
                                  .Add(failed)
                                  .FromService("a")
                                  .Add(root)
                                  .Add(SpanOf(4, 0, 40, 100))
                                  .Build());
  EXPECT_EQ(
      Summarize(trace, 7),
      (TraceRow{.id = MakeTraceId(1),
                .root_service = "a",
                .root_name = "root",
                .start_unix_ns = 10,
                .end_unix_ns = 100,
                .spans = 4,
                .errors = 1,
                .orphans = 1,
                .services = {{.service = "a", .spans = 2, .errors = 0}, {.service = "b", .spans = 2, .errors = 1}},
                .version = 7}));
}

// Scenario: only a span with a parent, which ends before it starts.
// Guarantees: no root, and no end before the start.
TEST(TraceRow, IsHonestAboutWhatIsNotThere) {
  const TraceRow row = Summarize(TraceOf(RequestBuilder().FromService("a").Add(SpanOf(1, 2, 50, 40)).Build()), 0);
  EXPECT_EQ(row.root_name, std::nullopt);
  EXPECT_EQ(row.root_service, std::nullopt);
  EXPECT_EQ(row.duration_ns(), 0);
  EXPECT_EQ(row.orphans, 1);
}

}  // namespace
}  // namespace spanloom::store
