// SPDX-License-Identifier: Apache-2.0

#include "otlp/writer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "otlp/validate.h"

namespace spanloom::otlp {
namespace {

using Kind = ValueView::Kind;

TraceId TraceIdOf(uint8_t byte) {
  TraceId id;
  id.bytes.fill(byte);
  return id;
}

SpanId SpanIdOf(uint8_t byte) {
  SpanId id;
  id.bytes.fill(byte);
  return id;
}

// A request of one scope with the spans that `write` writes. Fails the test if it is not valid.
template <typename Write>
std::string RequestOf(Write write) {
  std::string wire;
  RequestWriter request(wire);
  request.BeginResource({});
  request.BeginScope({});
  write(request);
  request.End();
  EXPECT_TRUE(ValidateTraces(wire).ok()) << ValidateTraces(wire).status();
  return wire;
}

ResourceSpansView FirstResource(std::string_view request) {
  return *TracesView(request).resource_spans().begin();
}

SpanView FirstSpan(std::string_view request) {
  return *(*FirstResource(request).scope_spans().begin()).spans().begin();
}

TEST(RequestWriter, WritesResourcesScopesAndSpansInTheirOrder) {
  std::string wire;
  RequestWriter request(wire);
  for (const std::string_view service : {"a", "b"}) {
    request.BeginResource(EncodeResource([&](AttributeWriter& w) { w.String("service.name", service); }), "r-url");
    for (const std::string_view scope : {"x", "y"}) {
      request.BeginScope(
          EncodeScope({.name = scope, .version = "1"}, [](AttributeWriter& w) { w.Bool("stable", true); }), "s-url");
      for (const std::string_view name : {"1", "2"}) request.BeginSpan({.name = name}).End();
    }
  }
  request.End();

  const auto stats = ValidateTraces(wire);
  ASSERT_TRUE(stats.ok()) << stats.status();
  EXPECT_EQ(stats->spans, 8u);
  std::string seen;
  for (const ResourceSpansView resource_spans : TracesView(wire).resource_spans()) {
    EXPECT_EQ(resource_spans.schema_url(), "r-url");
    for (const ScopeSpansView scope_spans : resource_spans.scope_spans()) {
      EXPECT_EQ(scope_spans.schema_url(), "s-url");
      EXPECT_EQ(scope_spans.scope().version(), "1");
      EXPECT_TRUE(FindAttribute(scope_spans.scope().attributes(), "stable")->bool_value());
      for (const SpanView span : scope_spans.spans()) {
        seen.append(resource_spans.resource().service_name()).append(scope_spans.scope().name()).append(span.name());
      }
    }
  }
  EXPECT_EQ(seen, "ax1ax2ay1ay2bx1bx2by1by2");
}

TEST(RequestWriter, LeavesNothingBehindWithoutAResource) {
  std::string wire = "before";
  RequestWriter(wire).End();
  EXPECT_EQ(wire, "before");
}

TEST(RequestWriter, TakesSpansThatAreEncodedAlready) {
  std::string spans;
  SpanWriter(wire::Writer(spans), {.name = "first"}).End();
  SpanWriter(wire::Writer(spans), {.name = "second"}).End();
  const std::string wire = RequestOf([&](RequestWriter& request) { request.AddEncodedSpans(spans); });
  EXPECT_EQ(FirstSpan(wire).name(), "first");
  EXPECT_EQ(ValidateTraces(wire)->spans, 2u);
}

TEST(SpanWriter, WritesEveryField) {
  const std::string wire = RequestOf([](RequestWriter& request) {
    SpanWriter span = request.BeginSpan({.trace_id = TraceIdOf(1),
                                         .span_id = SpanIdOf(2),
                                         .trace_state = "k=v",
                                         .parent_span_id = SpanIdOf(3),
                                         .name = "work",
                                         .kind = SpanKind::kServer,
                                         .start_unix_ns = 5,
                                         .end_unix_ns = 7,
                                         .flags = 0x101});
    span.attributes().Int("i", 1).String("s", "x");
    span.AddEvent(
        6, "event", [](AttributeWriter& w) { w.Double("d", 0.5); }, 11);
    span.AddLink(
        {.trace_id = TraceIdOf(4), .span_id = SpanIdOf(5), .trace_state = "l=1", .flags = 1},
        [](AttributeWriter& w) { w.Bytes("b", "raw"); }, 12);
    span.SetDropped({.attributes = 13, .events = 14, .links = 15});
    span.SetStatus(StatusCode::kError, "boom");
    span.End();
  });
  const SpanView span = FirstSpan(wire);
  EXPECT_EQ(span.trace_id(), TraceIdOf(1));
  EXPECT_EQ(span.span_id(), SpanIdOf(2));
  EXPECT_EQ(span.trace_state(), "k=v");
  EXPECT_EQ(span.parent_span_id(), SpanIdOf(3));
  EXPECT_EQ(span.name(), "work");
  EXPECT_EQ(span.kind(), SpanKind::kServer);
  EXPECT_EQ(span.start_unix_ns(), 5u);
  EXPECT_EQ(span.end_unix_ns(), 7u);
  EXPECT_EQ(span.flags(), 0x101u);
  EXPECT_EQ(FindAttribute(span.attributes(), "i")->int_value(), 1);
  EXPECT_EQ(FindAttribute(span.attributes(), "s")->string_value(), "x");
  const EventView event = *span.events().begin();
  EXPECT_EQ(event.time_unix_ns(), 6u);
  EXPECT_EQ(event.name(), "event");
  EXPECT_EQ(FindAttribute(event.attributes(), "d")->double_value(), 0.5);
  EXPECT_EQ(event.dropped_attributes_count(), 11u);
  const LinkView link = *span.links().begin();
  EXPECT_EQ(link.trace_id(), TraceIdOf(4));
  EXPECT_EQ(link.span_id(), SpanIdOf(5));
  EXPECT_EQ(link.trace_state(), "l=1");
  EXPECT_EQ(link.flags(), 1u);
  EXPECT_EQ(FindAttribute(link.attributes(), "b")->bytes_value(), "raw");
  EXPECT_EQ(link.dropped_attributes_count(), 12u);
  EXPECT_EQ(span.dropped_attributes_count(), 13u);
  EXPECT_EQ(span.dropped_events_count(), 14u);
  EXPECT_EQ(span.dropped_links_count(), 15u);
  EXPECT_EQ(span.status_code(), StatusCode::kError);
  EXPECT_EQ(span.status_message(), "boom");
}

TEST(AttributeWriter, NestsArraysAndMaps) {
  const std::string resource = EncodeResource([](AttributeWriter& w) {
    w.Map("m", [](AttributeWriter& map) {
      map.Array("a", [](ArrayWriter& array) {
        array.Int(-1).Bool(true).String("s").Double(2).Bytes("b").Encoded({});
        array.Map([](AttributeWriter& inner) { inner.Int("deep", 1); });
        array.Array([](ArrayWriter& inner) { inner.Int(9); });
      });
    });
  });
  const AttributeView attribute = *ResourceView(resource).attributes().begin();
  EXPECT_EQ(attribute.key(), "m");
  const AttributeView entry = *attribute.value().map().begin();
  EXPECT_EQ(entry.key(), "a");
  std::vector<ValueView> elements;
  for (const ValueView element : entry.value().array()) elements.push_back(element);
  ASSERT_EQ(elements.size(), 8u);
  EXPECT_EQ(elements[0].int_value(), -1);
  EXPECT_TRUE(elements[1].bool_value());
  EXPECT_EQ(elements[2].string_value(), "s");
  EXPECT_EQ(elements[3].double_value(), 2);
  EXPECT_EQ(elements[4].bytes_value(), "b");
  EXPECT_EQ(elements[5].kind(), Kind::kNone);
  EXPECT_EQ(FindAttribute(elements[6].map(), "deep")->int_value(), 1);
  EXPECT_EQ((*elements[7].array().begin()).int_value(), 9);
}

TEST(AttributeWriter, CopiesAttributesWithTheirUnknownFields) {
  std::string original;
  AttributeWriter(wire::Writer(original), 1).Int("k", 5);
  std::string with_unknown((*ResourceView(original).attributes().begin()).wire());
  wire::Writer(with_unknown).Varint(100, 1);
  std::string copy;
  AttributeWriter(wire::Writer(copy), 1).Copy(AttributeView(with_unknown));
  EXPECT_EQ((*ResourceView(copy).attributes().begin()).wire(), with_unknown);
}

// Scenario: values, spans and requests of every size around which a length takes one byte more.
// Guarantees: no length is padded, whatever room was kept for it: the bytes are those that nested strings give.
TEST(RequestWriter, WritesLengthsWithoutPadding) {
  for (const size_t size : {0, 1, 100, 110, 120, 127, 128, 16'000, 16'383, 16'384, 3'000'000}) {
    const std::string text(size, 't');
    const std::string wire = RequestOf([&](RequestWriter& request) {
      SpanWriter span = request.BeginSpan({});
      span.attributes().String("k", text);
      span.End();
    });
    const auto message = [](uint32_t field, const std::string& content) {
      std::string out;
      wire::Writer(out).Bytes(field, content);
      return out;
    };
    std::string span;
    wire::Writer(span).Fixed64(7, 0);
    wire::Writer(span).Fixed64(8, 0);
    span += message(9, message(1, "k") + message(2, message(1, text)));
    EXPECT_EQ(wire, message(1, message(1, "") + message(2, message(1, "") + message(2, span)))) << size;
  }
}

}  // namespace
}  // namespace spanloom::otlp
