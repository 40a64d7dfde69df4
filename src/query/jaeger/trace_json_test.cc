// SPDX-License-Identifier: Apache-2.0

#include "query/jaeger/trace_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "store/conformance/model_store.h"
#include "store/conformance/request_builder.h"

namespace spanloom::query::jaeger {
namespace {

using nlohmann::json;
using store::MakeSpanId;
using store::MakeTraceId;
using store::RequestBuilder;
using store::SpanSpec;

json ToJson(otlp::Batch batch, const TraceJsonOptions& options = {}) {
  store::ModelStore store;
  store.Add(std::move(batch));
  std::string text;
  JsonWriter writer(text);
  WriteTraceJson(store::FetchTraces(store, {})->at(0), options, writer);
  const json parsed = json::parse(text, nullptr, false);
  EXPECT_FALSE(parsed.is_discarded()) << text;
  return parsed;
}

json SpanJson(const SpanSpec& span, const TraceJsonOptions& options = {}) {
  return ToJson(RequestBuilder().FromService("s").Add(span).Build(), options)["spans"][0];
}

SpanSpec Span() {
  return {.trace_id = MakeTraceId(1), .span_id = MakeSpanId(2), .start_unix_ns = 5'000'999, .end_unix_ns = 7'000'998};
}

// "key:type=value" of each tag.
std::vector<std::string> Describe(const json& tags) {
  std::vector<std::string> described;
  for (const json& tag : tags) {
    described.push_back(tag["key"].get<std::string>() + ":" + tag["type"].get<std::string>() + "=" +
                        tag["value"].dump());
  }
  return described;
}

// Scenario: a span with nothing but ids and times.
// Guarantees: exactly the fields that Jaeger writes; microseconds, cut off; no flags, no parentSpanID.
TEST(TraceJson, HasJaegersFields) {
  const json expected = json::parse(R"({
    "traceID": "00000000000000000000000000000001",
    "spans": [{
      "traceID": "00000000000000000000000000000001", "spanID": "0000000000000002", "operationName": "work",
      "references": [], "startTime": 5000, "duration": 1999, "tags": [], "logs": [], "processID": "p1", "warnings": null
    }],
    "processes": {"p1": {"serviceName": "s", "tags": []}},
    "warnings": null})");
  EXPECT_EQ(ToJson(RequestBuilder().FromService("s").Add(Span()).Build()), expected);
}

// Scenario: scope, attributes, kind, failed status with a message, trace state.
// Guarantees: names, types and order of Jaeger's tags.
TEST(TraceJson, WritesTagsInJaegersOrder) {
  SpanSpec span = Span();
  span.attributes = {{"a", "1"}, {"b", int64_t{2}}};
  span.kind = otlp::SpanKind::kClient;
  span.status_code = otlp::StatusCode::kError;
  span.status_message = "boom";
  span.trace_state = "k=v";
  const json trace = ToJson(RequestBuilder().From({{"service.name", "s"}}, "lib", "1.2").Add(span).Build());
  EXPECT_THAT(Describe(trace["spans"][0]["tags"]),
              testing::ElementsAre(R"(otel.scope.name:string="lib")", R"(otel.scope.version:string="1.2")",
                                   R"(a:string="1")", "b:int64=2", R"(span.kind:string="client")",
                                   R"(otel.status_code:string="ERROR")", "error:bool=true",
                                   R"(otel.status_description:string="boom")", R"(w3c.tracestate:string="k=v")"));
}

// Scenario: a value of every kind, with those that JSON or JavaScript can't hold.
// Guarantees: five types; big integers and odd doubles as strings; bytes in base64; arrays and maps as JSON in a
// string.
TEST(TraceJson, WritesEveryKindOfValue) {
  SpanSpec span = Span();
  span.attributes = {{"bool", true},
                     {"safe", (int64_t{1} << 53) - 1},
                     {"big", int64_t{1} << 53},
                     {"least", std::numeric_limits<int64_t>::min()},
                     {"double", 0.25},
                     {"nan", std::numeric_limits<double>::quiet_NaN()},
                     {"infinity", -std::numeric_limits<double>::infinity()},
                     {"bytes", store::MakeBytes(std::string("\0\xff", 2))},
                     {"none", store::EncodedValue{}},
                     {"array", store::MakeArray({int64_t{1}, "x"})},
                     {"map", store::MakeMap({{"k", store::MakeArray({true})}})},
                     {"utf8", "a\xff"}};
  EXPECT_THAT(
      Describe(SpanJson(span)["tags"]),
      testing::ElementsAre("bool:bool=true", "safe:int64=9007199254740991", R"(big:int64="9007199254740992")",
                           R"(least:int64="-9223372036854775808")", "double:float64=0.25", R"(nan:float64="NaN")",
                           R"(infinity:float64="-Infinity")", R"(bytes:binary="AP8=")", R"(none:string="")",
                           R"(array:string="[1,\"x\"]")", R"(map:string="{\"k\":[true]}")", "utf8:string=\"a\uFFFD\""));
}

// Scenario: a parent, links to other spans, to the parent, and to no trace at all.
// Guarantees: the parent first, always as CHILD_OF; links follow, the one to the parent too; empty ones only if raw.
TEST(TraceJson, WritesReferences) {
  SpanSpec span = Span();
  span.parent_span_id = MakeSpanId(9);
  span.links = {{.trace_id = MakeTraceId(7), .span_id = MakeSpanId(8)}, {.trace_id = {}, .span_id = {}}};
  const json references = SpanJson(span)["references"];
  ASSERT_EQ(references.size(), 2);
  EXPECT_EQ(references[0], json::parse(R"({"refType":"CHILD_OF","traceID":"00000000000000000000000000000001",
                                           "spanID":"0000000000000009"})"));
  EXPECT_EQ(references[1], json::parse(R"({"refType":"FOLLOWS_FROM","traceID":"00000000000000000000000000000007",
                                           "spanID":"0000000000000008"})"));
  EXPECT_EQ(SpanJson(span, {.is_raw = true})["references"].size(), 3);

  span.links = {{.trace_id = span.trace_id, .span_id = span.parent_span_id}};
  const json of_parent = SpanJson(span)["references"];
  ASSERT_EQ(of_parent.size(), 2);
  EXPECT_EQ(of_parent[0]["refType"], "CHILD_OF");
  EXPECT_EQ(of_parent[1]["refType"], "FOLLOWS_FROM");
}

// Scenario: events with a name, without one, and with an attribute that is called event.
// Guarantees: logs in microseconds; the name is the field `event`, unless an attribute is.
TEST(TraceJson, WritesEventsAsLogs) {
  SpanSpec span = Span();
  span.events = {{.time_unix_ns = 6'000'500, .name = "exception", .attributes = {{"exception.type", "E"}}},
                 {.time_unix_ns = 1, .name = ""},
                 {.time_unix_ns = 1, .name = "name", .attributes = {{"event", "attribute"}}}};
  const json logs = SpanJson(span)["logs"];
  EXPECT_EQ(logs[0]["timestamp"], 6'000);
  EXPECT_THAT(Describe(logs[0]["fields"]),
              testing::ElementsAre(R"(event:string="exception")", R"(exception.type:string="E")"));
  EXPECT_TRUE(logs[1]["fields"].empty());
  EXPECT_THAT(Describe(logs[2]["fields"]), testing::ElementsAre(R"(event:string="attribute")"));
}

// Scenario: spans of two processes, one of which comes twice with another scope; one without a name.
// Guarantees: a process each, numbered by first use, with all its attributes but the name.
TEST(TraceJson, ListsProcessesOnce) {
  const auto span = [](uint64_t number) {
    return SpanSpec{.trace_id = MakeTraceId(1), .span_id = MakeSpanId(number), .start_unix_ns = number};
  };
  const json trace = ToJson(RequestBuilder()
                                .From({{"service.name", "a"}, {"pod", "x"}}, "one")
                                .Add(span(1))
                                .From({{"pod", "y"}})
                                .Add(span(2))
                                .From({{"service.name", "a"}, {"pod", "x"}}, "two")
                                .Add(span(3))
                                .Build());
  EXPECT_EQ(trace["processes"].size(), 2);
  EXPECT_EQ(trace["spans"][0]["processID"], "p1");
  EXPECT_EQ(trace["spans"][1]["processID"], "p2");
  EXPECT_EQ(trace["spans"][2]["processID"], "p1");
  EXPECT_EQ(trace["processes"]["p1"]["serviceName"], "a");
  EXPECT_THAT(Describe(trace["processes"]["p1"]["tags"]), testing::ElementsAre(R"(pod:string="x")"));
  EXPECT_EQ(trace["processes"]["p2"]["serviceName"], "unknown_service");
}

// Scenario: a span that ends before it starts; flags with and without the sampled bit.
// Guarantees: duration 0 and a warning; only the W3C flags are shown, and left out when they are 0.
TEST(TraceJson, WarnsOfANegativeDuration) {
  SpanSpec span = Span();
  span.end_unix_ns = span.start_unix_ns - 1'500;
  span.flags = 0x301;
  const json written = SpanJson(span);
  EXPECT_EQ(written["duration"], 0);
  EXPECT_THAT(written["warnings"][0].get<std::string>(), testing::HasSubstr("1500 ns"));
  EXPECT_EQ(written["flags"], 1);
  span.flags = 0x300;
  EXPECT_FALSE(SpanJson(span).contains("flags"));
}

}  // namespace
}  // namespace spanloom::query::jaeger
