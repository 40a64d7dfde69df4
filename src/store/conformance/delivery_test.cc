// SPDX-License-Identifier: Apache-2.0
//
// Conformance: what is delivered is found again, byte for byte and once.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <set>

#include "otlp/json/transcode.h"
#include "otlp/testing/recorded_requests.h"
#include "store/conformance/store_conformance.h"

namespace spanloom::store {
namespace {

using otlp::RecordedRequest;
using testing::ElementsAre;

// All of a span: its message, and those it stood in.
struct Delivered {
  std::string wire;
  std::string resource;
  std::string scope;
  std::string resource_schema_url;
  std::string scope_schema_url;
  friend auto operator<=>(const Delivered&, const Delivered&) = default;
};

using DeliveredTraces = std::map<otlp::TraceId, std::multiset<Delivered>>;

void Collect(const otlp::Batch& batch, DeliveredTraces& traces) {
  for (const otlp::Slice& slice : batch.slices()) {
    slice.ForEach([&traces](const otlp::SpanContext& context) {
      traces[context.span.trace_id()].insert(
          {std::string(context.span.wire()), std::string(context.resource.wire()), std::string(context.scope.wire()),
           std::string(context.resource_schema_url), std::string(context.scope_schema_url)});
    });
  }
}

std::multiset<Delivered> Collect(const Trace& trace) {
  std::multiset<Delivered> spans;
  for (const StoredSpan& span : trace.spans) {
    spans.insert({std::string(span.wire.view()), std::string(span.origin->resource.view()),
                  std::string(span.origin->scope.view()), span.origin->resource_schema_url,
                  span.origin->scope_schema_url});
  }
  return spans;
}

std::vector<otlp::Batch> AllRecorded() {
  std::vector<otlp::Batch> batches;
  for (RecordedRequest& request : otlp::ReadRecordedRequests(".pb"))
    batches.push_back(BatchOf(std::move(request.body)));
  for (const RecordedRequest& request : otlp::ReadRecordedRequests(".json")) {
    auto wire = otlp::TranscodeTracesJson(request.body);
    EXPECT_TRUE(wire.ok()) << request.name << ": " << wire.status();
    if (wire.ok()) batches.push_back(BatchOf(*std::move(wire)));
  }
  return batches;
}

// Scenario: everything that real llm-d components, vLLM and SDKs of four languages sent, in the order in which they
// sent it. Guarantees: each trace comes back whole, each span and what it stood in byte for byte.
TEST_P(StoreConformance, GivesBackEveryRecordedSpanByteForByte) {
  DeliveredTraces delivered;
  for (const otlp::Batch& batch : AllRecorded()) {
    Collect(batch, delivered);
    Append(batch);
  }
  for (const auto& [id, spans] : delivered) {
    ASSERT_EQ(Collect(GetTrace(id)), spans) << id.Hex();
  }
  EXPECT_EQ(store().Stats().traces, delivered.size());
  EXPECT_EQ(store().Stats().spans_evicted, 0);
}

// Scenario: the recorded requests, delivered twice, as a client does whose answers were lost.
// Guarantees: nothing is stored twice, and the repetitions are counted.
TEST_P(StoreConformance, StoresARepeatedDeliveryOnce) {
  const std::vector<otlp::Batch> batches = AllRecorded();
  for (const otlp::Batch& batch : batches) Append(batch);
  const StoreStats once = store().Stats();
  for (const otlp::Batch& batch : batches) Append(batch);

  const StoreStats twice = store().Stats();
  EXPECT_EQ(twice.spans, once.spans);
  EXPECT_EQ(twice.traces, once.traces);
  // Not the double of it: less, where spans have come to a tighter form meanwhile; more, where few of them have come to
  // a file.
  EXPECT_LT(twice.bytes, once.bytes + once.bytes / 2);
  EXPECT_EQ(twice.spans_duplicate, 2 * once.spans_duplicate + once.spans);
}

// Scenario: the same span id with another name, and the same bytes from another process.
// Guarantees: both are kept: only the same bytes of the same origin are one span.
TEST_P(StoreConformance, KeepsBothSpansOfOneIdIfTheirContentDiffers) {
  const SpanSpec first = {.trace_id = MakeTraceId(1), .span_id = MakeSpanId(1), .name = "first"};
  SpanSpec second = first;
  second.name = "second";
  Append(RequestBuilder().FromService("a").Add(first).Add(second).FromService("b").Add(first).Build());
  Append(RequestBuilder().FromService("a").Add(first).Build());

  EXPECT_EQ(GetTrace(first.trace_id).spans.size(), 3);
  EXPECT_EQ(store().Stats().spans_duplicate, 1);
}

// Scenario: the spans of one trace arrive in three requests, the root last, others of the same start in between.
// Guarantees: the trace is one, by start time, spans of equal start in order of arrival.
TEST_P(StoreConformance, JoinsLateSpansToTheirTrace) {
  const otlp::TraceId id = MakeTraceId(7);
  AppendEach({{.trace_id = id, .span_id = MakeSpanId(3), .name = "c", .start_unix_ns = 30, .end_unix_ns = 40},
              {.trace_id = id, .span_id = MakeSpanId(2), .name = "b", .start_unix_ns = 20, .end_unix_ns = 25},
              {.trace_id = id, .span_id = MakeSpanId(4), .name = "b2", .start_unix_ns = 20, .end_unix_ns = 25},
              {.trace_id = id, .span_id = MakeSpanId(1), .name = "a", .start_unix_ns = 10, .end_unix_ns = 50}});

  std::vector<std::string> names;
  for (const StoredSpan& span : GetTrace(id).spans) names.emplace_back(span.span().name());
  EXPECT_THAT(names, ElementsAre("a", "b", "b2", "c"));
  EXPECT_EQ(store().Stats().traces, 1);
}

// Scenario: a trace that nobody sent.
// Guarantees: kNotFound.
TEST_P(StoreConformance, SaysNotFoundForAnUnknownTrace) {
  EXPECT_EQ(store().GetTrace(MakeTraceId(404), {}, {}).status().code(), absl::StatusCode::kNotFound);
}

// Scenario: a span whose trace id is all zero, and one without a span id.
// Guarantees: they are kept like any other.
TEST_P(StoreConformance, KeepsSpansWithoutIds) {
  Append(RequestBuilder().FromService("s").Add({.trace_id = {}, .span_id = MakeSpanId(1)}).Build());
  Append(RequestBuilder().FromService("s").Add({.trace_id = MakeTraceId(2), .span_id = {}}).Build());
  EXPECT_EQ(GetTrace({}).spans.size(), 1);
  EXPECT_EQ(GetTrace(MakeTraceId(2)).spans.size(), 1);
  EXPECT_THAT(FindNumbers({}), testing::UnorderedElementsAre(0, 2));
}

// Scenario: a trace of 100,000 spans in 200 requests, then all of it once more.
// Guarantees: all spans are there once, in order.
TEST_P(StoreConformance, KeepsATraceOfAHundredThousandSpans) {
  if (!GetParam().runs_large_tests) GTEST_SKIP() << "looks at everything for each answer";
  constexpr uint64_t kRequests = 200;
  constexpr uint64_t kSpansPerRequest = 500;
  for (uint64_t request = 0; request < 2 * kRequests; ++request) {
    RequestBuilder builder;
    builder.FromService("s");
    for (uint64_t i = 0; i < kSpansPerRequest; ++i) {
      const uint64_t number = (request % kRequests) * kSpansPerRequest + i + 1;
      builder.Add({.trace_id = MakeTraceId(1), .span_id = MakeSpanId(number), .start_unix_ns = number});
    }
    Append(builder.Build());
  }
  const Trace trace = GetTrace(MakeTraceId(1));
  ASSERT_EQ(trace.spans.size(), kRequests * kSpansPerRequest);
  for (size_t i = 0; i < trace.spans.size(); ++i) ASSERT_EQ(trace.spans[i].span().start_unix_ns(), i + 1);
  EXPECT_EQ(store().Stats().spans_duplicate, kRequests * kSpansPerRequest);
}

// Scenario: one attribute of every kind that OTLP has, with the values at the borders of their types.
// Guarantees: each is there as it was sent, and a span that ends before it starts keeps both times.
TEST_P(StoreConformance, KeepsEveryKindOfValue) {
  const double infinity = std::numeric_limits<double>::infinity();
  const SpanSpec span = {.trace_id = MakeTraceId(1),
                         .span_id = MakeSpanId(1),
                         .name = "",
                         .start_unix_ns = 1'000,
                         .end_unix_ns = 1,
                         .attributes = {{"string", "invalid \xff utf-8"},
                                        {"empty", ""},
                                        {"bool", true},
                                        {"int", std::numeric_limits<int64_t>::min()},
                                        {"double", infinity},
                                        {"nan", std::numeric_limits<double>::quiet_NaN()},
                                        {"array", MakeArray({int64_t{1}, "two", MakeArray({3.5})})},
                                        {"map", MakeMap({{"k", MakeBytes("v")}})},
                                        {"bytes", MakeBytes(std::string("\0\xff", 2))},
                                        {"none", EncodedValue{}},
                                        {"none", "the key again"}}};
  Append(RequestBuilder().FromService("s").Add(span).Build());
  const Trace trace = GetTrace(span.trace_id);
  ASSERT_EQ(trace.spans.size(), 1);
  EXPECT_EQ(trace.spans[0].wire.view(), Encode(span));
  EXPECT_EQ(trace.spans[0].span().duration_ns(), -999);
}

// Scenario: a processor has dropped some spans of a request, then all of one.
// Guarantees: only the others are stored.
TEST_P(StoreConformance, StoresOnlyWhatWasNotDropped) {
  otlp::Batch batch = RequestBuilder()
                          .FromService("kept")
                          .Add({.trace_id = MakeTraceId(1), .span_id = MakeSpanId(1)})
                          .Add({.trace_id = MakeTraceId(1), .span_id = MakeSpanId(2)})
                          .FromService("gone")
                          .Add({.trace_id = MakeTraceId(2), .span_id = MakeSpanId(3)})
                          .Build();
  batch.slices().front().DropIf([](const otlp::SpanContext& span) {
    return span.span.span_id() == MakeSpanId(2) || span.resource.service_name() == "gone";
  });
  Append(batch);
  EXPECT_EQ(GetTrace(MakeTraceId(1)).spans.size(), 1);
  EXPECT_EQ(*store().Services({}), (std::vector<ServiceName>{{.name = "kept", .spans = 1}}));
  Append(otlp::Batch());
  EXPECT_EQ(store().Stats().spans, 1);
}

// Scenario: what a query returned is used after the store has taken more of the same trace.
// Guarantees: an answer is a value: it stays as it was.
TEST_P(StoreConformance, AnswersStayAsTheyWere) {
  AppendEach({{.trace_id = MakeTraceId(1), .span_id = MakeSpanId(1), .start_unix_ns = 5}});
  const Trace before = GetTrace(MakeTraceId(1));
  AppendEach({{.trace_id = MakeTraceId(1), .span_id = MakeSpanId(2), .start_unix_ns = 1}});
  ASSERT_EQ(before.spans.size(), 1);
  EXPECT_EQ(before.spans[0].span().span_id(), MakeSpanId(1));
  EXPECT_EQ(GetTrace(MakeTraceId(1)).spans.size(), 2);
}

}  // namespace
}  // namespace spanloom::store
