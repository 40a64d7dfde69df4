// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/match/text_demand.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "store/columnar/segment/segment_builder.h"
#include "store/columnar/segment/testing/memory_file.h"
#include "store/conformance/request_builder.h"
#include "store/conformance/stored_traces.h"

namespace spanloom::store::columnar {
namespace {

constexpr std::string_view kUnknownField = "\xa0\x06\x01";  // number 100: a message that has it is kept as it is

SpanSpec PlainSpan() {
  return {.trace_id = MakeTraceId(1), .span_id = MakeSpanId(1)};
}

std::unique_ptr<const SegmentReader> ReaderOf(const Trace& trace) {
  auto content = std::make_shared<std::string>();  // shared with the reader
  MemoryFile target(content);
  SegmentBuilder builder(target);
  builder.Add(trace, 1);
  EXPECT_TRUE(builder.Finish().ok());
  auto reader = SegmentReader::Open(std::make_unique<MemoryFile>(content));
  EXPECT_TRUE(reader.ok()) << reader.status();
  return *std::move(reader);
}

std::unique_ptr<const SegmentReader> ReaderOf(const SpanSpec& span, const Attributes& resource = {},
                                              const Attributes& scope = {}) {
  return ReaderOf(TraceOf(RequestBuilder().From(resource, "scope", "1", scope).Add(span).Build()));
}

// Whether the segment may have an attribute `key` that is the text.
bool MayHave(const SegmentReader& reader, const std::string& key, std::string_view text,
             Comparison comparison = Comparison::kEqual) {
  const Predicate predicate({.field = Field::Attribute(AttributeScope::kAnywhere, key),
                             .comparison = comparison,
                             .operand = Value::String(text)});
  return TextDemand(predicate).MayBeMetBy(reader);
}

TEST(TextDemand, IsMetWhereverATextIs) {
  SpanSpec span = PlainSpan();
  span.attributes = {{"k", "x"}};
  EXPECT_TRUE(MayHave(*ReaderOf(span), "k", "x"));
  EXPECT_FALSE(MayHave(*ReaderOf(span), "k", "y"));
  span.attributes = {{"k", MakeArray({int64_t{1}, "x"})}};
  EXPECT_TRUE(MayHave(*ReaderOf(span), "k", "x"));
  EXPECT_FALSE(MayHave(*ReaderOf(span), "other", "x"));
  span = PlainSpan();
  span.events = {{.name = "e", .attributes = {{"k", "x"}}}};
  EXPECT_TRUE(MayHave(*ReaderOf(span), "k", "x"));
  span.events = {{.name = "e", .attributes = {{"k", MakeArray({"x"})}}}};
  EXPECT_TRUE(MayHave(*ReaderOf(span), "k", "x"));
}

TEST(TextDemand, IsMetByResourcesAndScopes) {
  EXPECT_TRUE(MayHave(*ReaderOf(PlainSpan(), {{"k", "x"}}), "k", "x"));
  EXPECT_FALSE(MayHave(*ReaderOf(PlainSpan(), {{"k", "x"}}), "k", "y"));
  EXPECT_TRUE(MayHave(*ReaderOf(PlainSpan(), {{"k", MakeArray({"x"})}}), "k", "x"));
  EXPECT_FALSE(MayHave(*ReaderOf(PlainSpan(), {{"k", MakeArray({"x"})}}), "other", "x"));
  EXPECT_TRUE(MayHave(*ReaderOf(PlainSpan(), {}, {{"k", "x"}}), "k", "x"));
  EXPECT_TRUE(MayHave(*ReaderOf(PlainSpan(), {}, {{"k", MakeMap({{"a", "x"}})}}), "k", "x"));
}

// Scenario: a message with a field that nobody knows, which is kept whole.
TEST(TextDemand, IsMetByWhatIsNotTakenApart) {
  SpanSpec span = PlainSpan();
  span.attributes = {{"k", "x"}};
  Trace trace = TraceOf(RequestBuilder().FromService("s").Add(span).Build());
  trace.spans[0].wire = Bytes(std::string(trace.spans[0].wire.view()).append(kUnknownField));
  EXPECT_TRUE(MayHave(*ReaderOf(trace), "k", "x"));
}

// Guarantees: what reads as the text and is none, and what people call attributes and is none, is not ruled out.
TEST(TextDemand, KnowsWhatIsNoText) {
  const auto reader = ReaderOf(PlainSpan());
  for (const char* const text : {"", "17", "-0.5", "1e9", "NaN", "Infinity", "true", "false", "[]", R"({"a":1})"}) {
    EXPECT_TRUE(MayHave(*reader, "k", text, Comparison::kHasText)) << text;
  }
  EXPECT_FALSE(MayHave(*reader, "k", "17a", Comparison::kHasText));
  EXPECT_FALSE(MayHave(*reader, "k", "17"));
  for (const char* const key : {"span.kind", "error", "otel.status_code", "otel.status_description", "w3c.tracestate",
                                "otel.scope.name", "otel.scope.version"}) {
    EXPECT_TRUE(MayHave(*reader, key, "x")) << key;
  }
  EXPECT_TRUE(MayHave(*reader, "k", "x", Comparison::kNotEqual));
}

}  // namespace
}  // namespace spanloom::store::columnar
