// SPDX-License-Identifier: Apache-2.0
//
// Conformance: names of services and operations.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/conformance/store_conformance.h"

namespace spanloom::store {
namespace {

using otlp::SpanKind;
using testing::ElementsAre;
using testing::IsEmpty;

// Scenario: services in no order, one span without a service name, one with an empty one.
// Guarantees: sorted, each once; what has no name is "unknown_service".
TEST_P(StoreConformance, ListsServicesSorted) {
  EXPECT_THAT(*store().Services({}), IsEmpty());
  const SpanSpec span = {.trace_id = MakeTraceId(1), .span_id = MakeSpanId(1)};
  Append(RequestBuilder()
             .FromService("zeta")
             .Add(span)
             .FromService("alpha")
             .Add(span)
             .From({})
             .Add(span)
             .FromService("")
             .Add(span)
             .FromService("zeta")
             .Add({.trace_id = MakeTraceId(2), .span_id = MakeSpanId(2)})
             .Build());
  EXPECT_THAT(*store().Services({}),
              ElementsAre(ServiceName{"alpha", 1}, ServiceName{"unknown_service", 2}, ServiceName{"zeta", 2}));
}

// Scenario: the same name with two kinds, in two services.
// Guarantees: distinct by name and kind, sorted, and only those of the service.
TEST_P(StoreConformance, ListsOperationsOfAService) {
  const auto span = [](uint64_t number, const char* name, SpanKind kind) {
    return SpanSpec{.trace_id = MakeTraceId(number), .span_id = MakeSpanId(number), .name = name, .kind = kind};
  };
  Append(RequestBuilder()
             .FromService("a")
             .Add(span(1, "GET", SpanKind::kServer))
             .Add(span(2, "GET", SpanKind::kClient))
             .Add(span(3, "GET", SpanKind::kServer))
             .Add(span(4, "DELETE", SpanKind::kUnspecified))
             .FromService("b")
             .Add(span(5, "PUT", SpanKind::kServer))
             .Build());
  EXPECT_THAT(*store().Operations("a", {}),
              ElementsAre(OperationName{{.name = "DELETE", .kind = SpanKind::kUnspecified}, 1},
                          OperationName{{.name = "GET", .kind = SpanKind::kServer}, 2},
                          OperationName{{.name = "GET", .kind = SpanKind::kClient}, 1}));
  EXPECT_THAT(*store().Operations("nobody", {}), IsEmpty());
}

// Scenario: spans of services over time; ranges, prefixes, and fewer names than there are.
// Guarantees: counts are of spans within the range; where there are too many, those with the most spans stay.
TEST_P(StoreConformance, NamesHaveRangesPrefixesAndCounts) {
  const auto span = [](uint64_t number, const char* name) {
    return SpanSpec{
        .trace_id = MakeTraceId(1 + number % 2), .span_id = MakeSpanId(number), .name = name, .start_unix_ns = number};
  };
  Append(RequestBuilder()
             .FromService("front")
             .Add(span(1, "get"))
             .Add(span(2, "get"))
             .Add(span(3, "put"))
             .FromService("freight")
             .Add(span(4, "go"))
             .FromService("back")
             .Add(span(5, "get"))
             .Build());
  EXPECT_THAT(*store().Services({.starts = {2, 5}}), ElementsAre(ServiceName{"freight", 1}, ServiceName{"front", 2}));
  EXPECT_THAT(*store().Services({.prefix = "fr"}), ElementsAre(ServiceName{"freight", 1}, ServiceName{"front", 3}));
  EXPECT_THAT(*store().Services({.names_max = 1}), ElementsAre(ServiceName{"front", 3}));
  EXPECT_THAT(*store().Services({.names_max = 2}), ElementsAre(ServiceName{"back", 1}, ServiceName{"front", 3}));
  EXPECT_THAT(*store().Operations("front", {.starts = {2, 4}, .prefix = "g"}),
              ElementsAre(OperationName{{.name = "get"}, 1}));
  EXPECT_THAT(*store().Services({.starts = {9, 9}}), IsEmpty());
}

// Scenario: the same key in every scope, twice in some; a key in one scope only.
// Guarantees: each scope by itself, sorted; a span counts once for a key.
TEST_P(StoreConformance, ListsKeysOfEachScope) {
  const SpanSpec span = {
      .trace_id = MakeTraceId(1),
      .span_id = MakeSpanId(1),
      .attributes = {{"k", "a"}, {"k", "b"}, {"other", true}},
      .events = {{.name = "e", .attributes = {{"k", "a"}}}, {.name = "f", .attributes = {{"k", "a"}}}}};
  SpanSpec bare = {.trace_id = MakeTraceId(2), .span_id = MakeSpanId(2)};
  Append(RequestBuilder().From({{"k", "r"}}, "scope", "1", {{"k", "s"}}).Add(span).Add(bare).Build());
  EXPECT_THAT(*store().Keys({}),
              ElementsAre(KeyName{AttributeScope::kSpan, "k", 1}, KeyName{AttributeScope::kSpan, "other", 1},
                          KeyName{AttributeScope::kResource, "k", 2}, KeyName{AttributeScope::kInstrumentation, "k", 2},
                          KeyName{AttributeScope::kEvent, "k", 1}));
  EXPECT_THAT(*store().Keys({.prefix = "o"}), ElementsAre(KeyName{AttributeScope::kSpan, "other", 1}));
}

// Scenario: values of several kinds, arrays, repeated ones; a predicate and a prefix; fields that are not listed.
// Guarantees: distinct values in order, counted by span; kInvalidArgument for places.
TEST_P(StoreConformance, ListsValuesOfAField) {
  const auto span = [](uint64_t number, Attributes attributes) {
    return SpanSpec{.trace_id = MakeTraceId(number),
                    .span_id = MakeSpanId(number),
                    .name = number < 3 ? "a" : "b",
                    .start_unix_ns = number,
                    .attributes = std::move(attributes)};
  };
  for (const SpanSpec& spec : {span(1, {{"k", "text"}, {"k", "text"}}), span(2, {{"k", MakeArray({"text", "test"})}}),
                               span(3, {{"k", int64_t{7}}}), span(4, {{"k", "text"}}), span(5, {})}) {
    AppendEach({spec});
  }
  const Field field = Field::Attribute(AttributeScope::kSpan, "k");
  EXPECT_THAT(*store().Values({.field = field}),
              ElementsAre(FieldValue{Value::Int(7), 1}, FieldValue{Value::String("test"), 1},
                          FieldValue{Value::String("text"), 3}));
  EXPECT_THAT(*store().Values({.field = field, .where = Is(Intrinsic::kName, Value::String("b"))}),
              ElementsAre(FieldValue{Value::Int(7), 1}, FieldValue{Value::String("text"), 1}));
  EXPECT_THAT(*store().Values({.field = field, .names = {.starts = {2, 4}, .prefix = "te"}}),
              ElementsAre(FieldValue{Value::String("test"), 1}, FieldValue{Value::String("text"), 1}));
  EXPECT_THAT(*store().Values({.field = Field::Of(Intrinsic::kName)}),
              ElementsAre(FieldValue{Value::String("a"), 2}, FieldValue{Value::String("b"), 3}));
  EXPECT_EQ(store().Values({.field = Field::Of(Intrinsic::kNestedSetLeft)}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store().Values({.field = field, .names = {.limits = {.bytes_max = 10}}}).status().code(),
            absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace spanloom::store
