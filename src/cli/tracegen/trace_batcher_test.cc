// SPDX-License-Identifier: Apache-2.0

#include "cli/tracegen/trace_batcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "otlp/validate.h"
#include "otlp/views.h"

namespace spanloom::cli::tracegen {
namespace {

using testing::Each;
using testing::Field;
using testing::Le;

constexpr uint64_t kSeed = 7;
constexpr int64_t kStartUnixNs = 1'770'000'000'000'000'000;
constexpr int64_t kSecondNs = 1'000'000'000;

// Requests that the batcher makes of `traces` traces that end a second apart.
std::vector<ExportRequest> Requests(const TraceShape& shape, BatchLimits limits, uint64_t traces) {
  TraceBatcher batcher(shape.emitters(), limits);
  std::vector<ExportRequest> requests;
  const auto collect = [&](ExportRequest request) { requests.push_back(std::move(request)); };
  GeneratedTrace trace;
  for (uint64_t i = 0; i < traces; ++i) {
    const int64_t end_unix_ns = kStartUnixNs + static_cast<int64_t>(i) * kSecondNs;
    batcher.FlushDue(end_unix_ns, collect);
    shape.Generate(i, end_unix_ns, trace);
    batcher.Add(trace, end_unix_ns, collect);
  }
  batcher.FlushAll(collect);
  EXPECT_EQ(batcher.pending_spans(), 0u);
  return requests;
}

// Spans of each trace, over all requests.
std::map<otlp::TraceId, size_t> SpansByTrace(const std::vector<ExportRequest>& requests) {
  std::map<otlp::TraceId, size_t> counts;
  for (const ExportRequest& request : requests) {
    for (otlp::ResourceSpansView resource_spans : otlp::TracesView(request.wire).resource_spans()) {
      for (otlp::ScopeSpansView scope_spans : resource_spans.scope_spans()) {
        for (otlp::SpanView span : scope_spans.spans()) ++counts[span.trace_id()];
      }
    }
  }
  return counts;
}

class TraceBatcherProperty : public testing::TestWithParam<size_t> {};

INSTANTIATE_TEST_SUITE_P(SpansMax, TraceBatcherProperty, testing::Values(1, 7, 64, 512, 100'000));

// Scenario: a few hundred traces, batches of several sizes.
// Guarantees: every request is valid, has one resource, counts its spans rightly and keeps the limit; no span is lost
// or doubled.
TEST_P(TraceBatcherProperty, KeepsEverySpanOnce) {
  const auto shape = MakeTraceShape(ShapeKind::kLlmd, kSeed);
  const BatchLimits limits = {.spans_max = GetParam(), .age_max_ns = std::nullopt};
  const std::vector<ExportRequest> requests = Requests(*shape, limits, 300);
  for (const ExportRequest& request : requests) {
    const auto stats = otlp::ValidateTraces(request.wire);
    ASSERT_TRUE(stats.ok());
    ASSERT_EQ(stats->spans, request.spans);
    ASSERT_EQ(otlp::TracesView(request.wire).resource_spans().Count(), 1u);
  }
  EXPECT_THAT(requests, Each(Field(&ExportRequest::spans, Le(GetParam()))));

  std::map<otlp::TraceId, size_t> expected;
  GeneratedTrace trace;
  for (uint64_t i = 0; i < 300; ++i) {
    shape->Generate(i, kStartUnixNs + static_cast<int64_t>(i) * kSecondNs, trace);
    const std::string_view first = trace.WireOf(trace.spans.front());
    const otlp::ScopeSpansView as_scope(first);
    expected[(*as_scope.spans().begin()).trace_id()] = trace.spans.size();
  }
  EXPECT_EQ(SpansByTrace(requests), expected);
}

// Scenario: traces a second apart, batches may be three seconds old.
// Guarantees: a batch leaves with what it has when its first trace comes of age, not before and not later.
TEST(TraceBatcher, SendsWhatHasComeOfAge) {
  const auto shape = MakeTraceShape(ShapeKind::kPlain, kSeed);
  TraceBatcher batcher(shape->emitters(), {.spans_max = 512, .age_max_ns = 3 * kSecondNs});
  size_t emitted = 0;
  const auto count = [&](ExportRequest request) { emitted += request.spans; };
  EXPECT_EQ(batcher.NextDueUnixNs(), std::nullopt);
  GeneratedTrace trace;
  shape->Generate(0, kStartUnixNs, trace);
  batcher.Add(trace, kStartUnixNs, count);
  EXPECT_EQ(batcher.NextDueUnixNs(), kStartUnixNs + 3 * kSecondNs);
  batcher.FlushDue(kStartUnixNs + 3 * kSecondNs - 1, count);
  EXPECT_EQ(emitted, 0u);
  batcher.FlushDue(kStartUnixNs + 3 * kSecondNs, count);
  EXPECT_EQ(emitted, trace.spans.size());
  EXPECT_EQ(batcher.NextDueUnixNs(), std::nullopt);
}

// Scenario: the same run twice.
// Guarantees: the same requests in the same order, byte for byte.
TEST(TraceBatcher, IsRepeatable) {
  const BatchLimits limits = {.spans_max = 50, .age_max_ns = 2 * kSecondNs};
  const auto first = Requests(*MakeTraceShape(ShapeKind::kLlmdHead, kSeed), limits, 100);
  const auto again = Requests(*MakeTraceShape(ShapeKind::kLlmdHead, kSeed), limits, 100);
  ASSERT_EQ(first.size(), again.size());
  for (size_t i = 0; i < first.size(); ++i) EXPECT_EQ(first[i].wire, again[i].wire);
}

// Scenario: a shape whose traces arrive whole.
// Guarantees: every request has all spans of its traces, 512 of 640 bytes, and no trace is in two.
TEST(TraceBatcher, WholeTracesComeInOneRequest) {
  const auto shape = MakeTraceShape(ShapeKind::kLoad, kSeed);
  ASSERT_TRUE(shape->ArrivesWhole());
  const auto requests =
      Requests(*shape, {.spans_max = 512, .age_max_ns = std::nullopt, .whole_traces = true}, 3 * 86 + 1);
  ASSERT_EQ(requests.size(), 4u);
  std::set<otlp::TraceId> seen;
  for (const ExportRequest& request : requests) {
    ASSERT_TRUE(otlp::ValidateTraces(request.wire).ok());
    for (const auto& [id, spans] : SpansByTrace({request})) {
      EXPECT_TRUE(seen.insert(id).second);
      EXPECT_GE(spans, 5u);
    }
  }
  EXPECT_EQ(seen.size(), 3u * 86 + 1);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(requests[i].spans, 512u);
    EXPECT_NEAR(static_cast<double>(requests[i].wire.size()) / 512, 637, 7);
  }
}

// Scenario: traces that arrive whole, in requests of other sizes.
// Guarantees: the limit holds, also where one trace alone exceeds it; no span is lost.
TEST(TraceBatcher, WholeTracesKeepTheLimit) {
  const auto shape = MakeTraceShape(ShapeKind::kLoad, kSeed);
  for (const size_t spans_max : {4, 6, 100}) {
    const auto requests =
        Requests(*shape, {.spans_max = spans_max, .age_max_ns = std::nullopt, .whole_traces = true}, 86);
    size_t spans = 0;
    for (const ExportRequest& request : requests) {
      EXPECT_LE(request.spans, spans_max);
      spans += request.spans;
    }
    EXPECT_EQ(spans, 512u);
  }
}

// Scenario: full batches of v0.6.
// Guarantees: the load that the benchmarks assume: 450 to 650 bytes a span in whole requests would be too many for what
// was recorded; what was recorded is 448 with small batches, so 350 to 500 with full ones.
TEST(TraceBatcher, SpansAreAsLargeAsRecordedOnes) {
  const auto requests =
      Requests(*MakeTraceShape(ShapeKind::kLlmd, kSeed), {.spans_max = 512, .age_max_ns = std::nullopt}, 2'000);
  size_t bytes = 0, spans = 0;
  for (const ExportRequest& request : requests) {
    bytes += request.wire.size();
    spans += request.spans;
  }
  EXPECT_GT(bytes / spans, 350u);
  EXPECT_LT(bytes / spans, 500u);
}

}  // namespace
}  // namespace spanloom::cli::tracegen
