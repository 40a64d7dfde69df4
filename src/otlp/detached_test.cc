// SPDX-License-Identifier: Apache-2.0

#include "otlp/detached.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/rng.h"
#include "otlp/testing/digest.h"
#include "otlp/testing/recorded_requests.h"
#include "otlp/validate.h"
#include "otlp/wire/writer.h"
#include "otlp/writer.h"

namespace spanloom::otlp {
namespace {

using wire::Writer;

TraceId TraceNumber(uint8_t number) {
  TraceId id;
  id.bytes.fill(number);
  return id;
}

// A request of one resource and scope with a span of each of `traces`, named by its position.
std::string RequestOf(const std::vector<uint8_t>& traces, std::string_view service = "decode") {
  std::string wire;
  RequestWriter request(wire);
  request.BeginResource(EncodeResource([&](AttributeWriter& a) { a.String("service.name", service); }), "res-url");
  request.BeginScope(EncodeScope({.name = "engine"}), "scope-url");
  for (size_t i = 0; i < traces.size(); ++i) {
    const std::string name = std::to_string(i);
    SpanFields fields = {.trace_id = TraceNumber(traces[i]), .name = name};
    if (i > 0) fields.parent_span_id.bytes.fill(1);
    request.BeginSpan(fields).End();
  }
  request.End();
  return wire;
}

Slice SliceOf(std::string wire) {
  const auto stats = ValidateTraces(wire);
  EXPECT_TRUE(stats.ok()) << stats.status();
  return {Bytes(std::move(wire)), stats->spans};
}

// Everything that is said of each span, its resource and scope included: [spans], sorted.
std::vector<std::string> SpansOf(const Slice& slice) {
  std::vector<std::string> spans;
  slice.ForEach([&](const SpanContext& context) {
    std::string all;
    for (const std::string_view part : {context.resource.wire(), context.resource_schema_url, context.scope.wire(),
                                        context.scope_schema_url, context.span.wire()}) {
      all.append(std::to_string(part.size())).append(":").append(part);
    }
    spans.push_back(std::move(all));
  });
  std::sort(spans.begin(), spans.end());
  return spans;
}

// Detaches and puts together again.
std::vector<std::string> Detached(const Batch& batch, ContextTable& contexts) {
  std::vector<std::string> spans;
  for (const DetachedTrace& trace : DetachByTrace(batch, contexts)) {
    const Slice slice = trace.spans.ToSlice();
    EXPECT_EQ(ValidateTraces(slice.wire().view())->spans, trace.spans.span_count());
    for (std::string& span : SpansOf(slice)) spans.push_back(std::move(span));
  }
  std::sort(spans.begin(), spans.end());
  return spans;
}

TEST(DetachByTrace, BringsTheSpansOfATraceTogether) {
  ContextTable contexts;
  const auto traces = DetachByTrace(Batch(SliceOf(RequestOf({7, 8, 7, 9, 8}))), contexts);
  ASSERT_EQ(traces.size(), 3u);
  EXPECT_EQ(traces[0].id, TraceNumber(7));
  EXPECT_TRUE(traces[0].has_root);
  EXPECT_FALSE(traces[1].has_root);
  std::string names;
  const Slice seven = traces[0].spans.ToSlice();
  seven.ForEach([&](const SpanContext& span) { names.append(span.span.name()); });
  EXPECT_EQ(names, "02");
}

// Scenario: requests as real software sent them.
// Guarantees: every span comes out with every byte of its own, its resource's and its scope's.
TEST(DetachByTrace, KeepsEveryByteOfRecordedRequests) {
  ContextTable contexts;
  for (const RecordedRequest& recorded : ReadRecordedRequests(".pb")) {
    const Slice slice = SliceOf(recorded.body);
    EXPECT_EQ(Detached(Batch(slice), contexts), SpansOf(slice)) << recorded.name;
  }
  EXPECT_EQ(contexts.size(), 0u);
  EXPECT_EQ(contexts.held_bytes(), 0u);
}

// Scenario: fields that no version of OTLP has, in every message; and a field of a message's number that is none.
// Guarantees: they are still there.
TEST(DetachByTrace, KeepsUnknownFields) {
  std::string wire;
  Writer writer(wire);
  const auto resource_spans = writer.Begin(1);
  writer.Varint(100, 3);
  const auto scope_spans = writer.Begin(2);
  const auto span = writer.Begin(2);
  writer.Varint(101, 4);
  writer.End(span);
  writer.Varint(102, 5);
  writer.Varint(2, 6);
  writer.End(scope_spans);
  writer.End(resource_spans);
  ContextTable contexts;
  const auto traces = DetachByTrace(Batch(Slice(Bytes(wire), 1)), contexts);
  ASSERT_EQ(traces.size(), 1u);
  const Slice again = traces[0].spans.ToSlice();
  const ResourceSpansView resource = *TracesView(again.wire().view()).resource_spans().begin();
  EXPECT_TRUE(resource.wire().starts_with(std::string("\xa0\x06\x03", 3)));
  const ScopeSpansView scope = *resource.scope_spans().begin();
  EXPECT_TRUE(scope.wire().starts_with(std::string("\xb0\x06\x05\x10\x06", 5)));
  EXPECT_EQ((*scope.spans().begin()).wire(), std::string("\xa8\x06\x04", 3));
}

// Scenario: spans were dropped and edited before.
// Guarantees: what is detached is what is left, as it is now.
TEST(DetachByTrace, TakesSpansAsTheyAreNow) {
  Slice slice = SliceOf(RequestOf({1, 1, 2}));
  slice.DropIf([](const SpanContext& context) { return context.span.name() == "1"; });
  slice.EditSpans([](SpanEditContext& context) { context.span().SetName("renamed"); });
  ContextTable contexts;
  EXPECT_EQ(Detached(Batch(slice), contexts), SpansOf(slice));
}

// Scenario: the same resource and scope in many requests, held at once; then let go.
// Guarantees: they are held once, and no longer than the last span that stands in them.
TEST(ContextTable, HoldsEachContextOnce) {
  ContextTable contexts;
  DetachedSpans all;
  for (int i = 0; i < 10; ++i) {
    for (DetachedTrace& trace : DetachByTrace(Batch(SliceOf(RequestOf({1, 2, 1}))), contexts)) {
      all.Append(std::move(trace.spans));
    }
  }
  EXPECT_EQ(contexts.size(), 1u);
  EXPECT_EQ(all.span_count(), 30u);
  EXPECT_EQ(SpansOf(all.ToSlice()).size(), 30u);
  auto other = DetachByTrace(Batch(SliceOf(RequestOf({1}, "prefill"))), contexts);
  EXPECT_EQ(contexts.size(), 2u);
  all.Clear();
  EXPECT_EQ(contexts.size(), 1u);
  other.clear();
  EXPECT_EQ(contexts.size(), 0u);
}

// Scenario: one span of a request of 100 is held on.
// Guarantees: it costs its own bytes and a few more, not its request's.
TEST(DetachedSpans, CostTheirOwnBytes) {
  std::vector<uint8_t> traces(100, 1);
  traces[50] = 2;
  const Slice slice = SliceOf(RequestOf(traces));
  ContextTable contexts;
  auto detached = DetachByTrace(Batch(slice), contexts);
  ASSERT_EQ(detached.size(), 2u);
  DetachedSpans one = std::move(detached[1].spans);
  detached.clear();
  EXPECT_EQ(one.span_count(), 1u);
  EXPECT_LT(one.held_bytes(), 110u);
  EXPECT_GT(slice.held_bytes(), 4'000u);
}

// Scenario: several threads hold spans in the same few contexts and let them go, in any order.
// Guarantees: nothing is lost or left (under ThreadSanitizer: no race).
TEST(ContextTable, IsThreadSafe) {
  ContextTable contexts;
  std::vector<std::thread> threads;
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    threads.emplace_back([&contexts, seed] {
      Rng rng(seed);
      std::vector<DetachedSpans> held(4);
      for (int i = 0; i < 300; ++i) {
        const std::string service(1 + rng.Below(3), 'a');
        auto traces = DetachByTrace(Batch(SliceOf(RequestOf({1, 2}, service))), contexts);
        held[rng.Below(held.size())] = std::move(traces[rng.Below(2)].spans);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(contexts.size(), 0u);
  EXPECT_EQ(contexts.held_bytes(), 0u);
}

// Scenario: random requests of several resources and scopes, detached together and appended to their traces in turn.
// Guarantees: each trace has exactly its spans, in requests that mean the same.
TEST(DetachedSpansProperty, ATraceIsTheSumOfWhatCameOfIt) {
  Rng rng(4);
  for (int round = 0; round < 50; ++round) {
    ContextTable contexts;
    std::map<TraceId, DetachedSpans> held;
    std::map<TraceId, std::vector<std::string>> expected;
    for (uint64_t requests = 1 + rng.Below(5); requests > 0; --requests) {
      Batch batch;
      for (uint64_t slices = 1 + rng.Below(3); slices > 0; --slices) {
        std::vector<uint8_t> traces(1 + rng.Below(20));
        for (uint8_t& trace : traces) trace = static_cast<uint8_t>(rng.Below(6));
        std::string wire = RequestOf(traces, std::string(1 + rng.Below(3), 's'));
        wire += RequestOf({static_cast<uint8_t>(rng.Below(6))}, "other");
        batch.Add(SliceOf(std::move(wire)));
      }
      for (const Slice& slice : batch.slices()) {
        std::vector<Slice> split =
            slice.Split(6, [](const SpanContext& span) { return span.span.trace_id().bytes[0]; });
        for (uint8_t trace = 0; trace < 6; ++trace) {
          for (std::string& span : SpansOf(split[trace])) expected[TraceNumber(trace)].push_back(std::move(span));
        }
      }
      for (DetachedTrace& trace : DetachByTrace(batch, contexts)) held[trace.id].Append(std::move(trace.spans));
    }
    for (auto& [id, spans] : expected) {
      std::sort(spans.begin(), spans.end());
      ASSERT_EQ(held[id].empty(), spans.empty());
      if (spans.empty()) continue;
      const Slice slice = held[id].ToSlice();
      EXPECT_EQ(SpansOf(slice), spans);
      EXPECT_EQ(slice.span_count(), spans.size());
      EXPECT_LE(slice.wire().size(), held[id].wire_bytes() + 16) << "a context counts once for each request";
    }
    held.clear();
    EXPECT_EQ(contexts.size(), 0u);
  }
}

}  // namespace
}  // namespace spanloom::otlp
