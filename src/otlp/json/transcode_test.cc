// SPDX-License-Identifier: Apache-2.0

#include "otlp/json/transcode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/rng.h"
#include "otlp/testing/digest.h"
#include "otlp/testing/recorded_requests.h"
#include "otlp/validate.h"

namespace spanloom::otlp {
namespace {

using testing::HasSubstr;
using Kind = ValueView::Kind;

constexpr std::string_view kIds = R"("traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174")";

// A request with one span whose JSON fields are `fields`.
std::string RequestWithSpan(std::string_view fields) {
  return R"({"resourceSpans":[{"scopeSpans":[{"spans":[{)" + std::string(fields) + "}]}]}]}";
}

std::string RequestWithValue(std::string_view value) {
  return RequestWithSpan(R"("attributes":[{"key":"a","value":)" + std::string(value) + "}]");
}

// The request in protobuf, which must be valid.
std::string Transcoded(std::string_view json) {
  const auto wire = TranscodeTracesJson(json);
  EXPECT_TRUE(wire.ok()) << json << ": " << wire.status();
  if (!wire.ok()) return "";
  EXPECT_TRUE(ValidateTraces(*wire).ok()) << json << ": " << ValidateTraces(*wire).status();
  return *wire;
}

std::string Refusal(std::string_view json) {
  const auto wire = TranscodeTracesJson(json);
  EXPECT_EQ(wire.status().code(), absl::StatusCode::kInvalidArgument) << json;
  return std::string(wire.status().message());
}

// One transcoded span; keeps its bytes.
class OneSpan {
 public:
  explicit OneSpan(std::string_view fields) : wire_(Transcoded(RequestWithSpan(fields))) {}
  SpanView operator*() const {
    return *(*(*TracesView(wire_).resource_spans().begin()).scope_spans().begin()).spans().begin();
  }

 private:
  std::string wire_;
};

// One transcoded attribute value; keeps its bytes.
class OneValue {
 public:
  explicit OneValue(std::string_view value)
      : span_(R"("attributes":[{"key":"a","value":)" + std::string(value) + "}]") {}
  ValueView operator*() const { return (*(*span_).attributes().begin()).value(); }

 private:
  OneSpan span_;
};

TEST(Transcode, TakesAMinimalSpan) {
  const OneSpan span(kIds);
  EXPECT_EQ((*span).trace_id().Hex(), "5b8efff798038103d269b633813fc60c");
  EXPECT_EQ((*span).span_id().Hex(), "eee19b7ec3c1b174");
  EXPECT_TRUE((*span).parent_span_id().IsZero());
}

TEST(Transcode, TakesIdsThatAreZeroEmptyOrUpperCase) {
  EXPECT_TRUE(
      (*OneSpan(R"("traceId":"00000000000000000000000000000000","spanId":"0000000000000000")")).trace_id().IsZero());
  EXPECT_TRUE((*OneSpan(R"("traceId":"","spanId":"")")).span_id().IsZero());
  EXPECT_EQ((*OneSpan(R"("spanId":"EEE19B7EC3C1B174")")).span_id().Hex(), "eee19b7ec3c1b174");
}

TEST(Transcode, RefusesIdsThatAreNotHexadecimalOfTheirLength) {
  const std::string path = "resourceSpans[0].scopeSpans[0].spans[0].traceId: ";
  EXPECT_THAT(Refusal(RequestWithSpan(R"("traceId":"W47/95gDgQPSabYzgT/GDA==")")), HasSubstr(path + "expected 32 hex"));
  EXPECT_THAT(Refusal(RequestWithSpan(R"("traceId":"eee19b7ec3c1b174")")), HasSubstr(path));
  EXPECT_THAT(Refusal(RequestWithSpan(R"("traceId":"ggggggggggggggggggggggggggggg123")")), HasSubstr(path));
  EXPECT_THAT(Refusal(RequestWithSpan(R"("traceId":5)")), HasSubstr(path));
  EXPECT_THAT(Refusal(RequestWithSpan(R"("links":[{},{"spanId":"123"}])")),
              HasSubstr("spans[0].links[1].spanId: expected 16 hexadecimal digits, found \"123\""));
}

TEST(Transcode, TakesTimesAsStringsAndNumbers) {
  EXPECT_EQ((*OneSpan(R"("startTimeUnixNano":"1544712660000000000")")).start_unix_ns(), 1544712660000000000u);
  EXPECT_EQ((*OneSpan(R"("startTimeUnixNano":1544712660000000000)")).start_unix_ns(), 1544712660000000000u);
  EXPECT_EQ((*OneSpan(R"("endTimeUnixNano":1.544712660e18)")).end_unix_ns(), 1544712660000000000u);
  EXPECT_EQ((*OneSpan(R"("endTimeUnixNano":"18446744073709551615")")).end_unix_ns(), UINT64_MAX);
}

TEST(Transcode, RefusesTimesThatAreNoUnsignedIntegers) {
  for (const char* time : {"\"abc\"", "\"\"", "\" 1\"", "\"1.5\"", "-1", "\"-1\"", "1.5", "18446744073709551616",
                           "true", "{}", "\"18446744073709551616\""}) {
    EXPECT_THAT(Refusal(RequestWithSpan(R"("startTimeUnixNano":)" + std::string(time))),
                HasSubstr("spans[0].startTimeUnixNano: expected an unsigned 64-bit integer"))
        << time;
  }
}

TEST(Transcode, TakesEnumsAsNumbersAndNames) {
  EXPECT_EQ((*OneSpan(R"("kind":2)")).kind(), SpanKind::kServer);
  EXPECT_EQ((*OneSpan(R"("kind":"SPAN_KIND_CLIENT")")).kind(), SpanKind::kClient);
  EXPECT_EQ(static_cast<int>((*OneSpan(R"("kind":99)")).kind()), 99);
  EXPECT_EQ(static_cast<int>((*OneSpan(R"("kind":-1)")).kind()), -1);
  EXPECT_EQ((*OneSpan(R"("status":{"code":"STATUS_CODE_ERROR","message":"boom"})")).status_code(), StatusCode::kError);
  EXPECT_EQ((*OneSpan(R"("status":{"code":"STATUS_CODE_ERROR","message":"boom"})")).status_message(), "boom");
}

TEST(Transcode, RefusesUnknownEnumNamesAndSaysWhichThereAre) {
  EXPECT_THAT(Refusal(RequestWithSpan(R"("kind":"FOO")")),
              AllOf(HasSubstr("spans[0].kind"), HasSubstr("SPAN_KIND_SERVER"), HasSubstr("found \"FOO\"")));
  EXPECT_THAT(Refusal(RequestWithSpan(R"("status":{"code":"SPAN_KIND_SERVER"})")), HasSubstr("spans[0].status.code"));
  EXPECT_THAT(Refusal(RequestWithSpan(R"("kind":4294967296)")), HasSubstr("spans[0].kind"));
}

TEST(Transcode, TakesSnakeCaseKeys) {
  const std::string wire = Transcoded(
      R"({"resource_spans":[{"schema_url":"u","scope_spans":[{"spans":[{"trace_id":"5b8efff798038103d269b633813fc60c",)"
      R"("parent_span_id":"eee19b7ec3c1b174","start_time_unix_nano":7,"dropped_attributes_count":3,)"
      R"("attributes":[{"key":"a","value":{"string_value":"x"}}]}]}]}]})");
  const ResourceSpansView resource_spans = *TracesView(wire).resource_spans().begin();
  EXPECT_EQ(resource_spans.schema_url(), "u");
  const SpanView span = *(*resource_spans.scope_spans().begin()).spans().begin();
  EXPECT_EQ(span.parent_span_id().Hex(), "eee19b7ec3c1b174");
  EXPECT_EQ(span.start_unix_ns(), 7u);
  EXPECT_EQ(span.dropped_attributes_count(), 3u);
  EXPECT_EQ(FindAttribute(span.attributes(), "a")->string_value(), "x");
}

// Scenario: bodies made to become as large as they can: texts that are not UTF-8, arrays of the shortest elements, the
// deepest nesting, empty spans.
// Guarantees: none grows by more than the stated factor.
TEST(Transcode, KeepsWhatABodyBecomesInBounds) {
  const auto repeated = [](std::string_view piece, int times) {
    std::string text;
    for (int i = 0; i < times; ++i) text += piece;
    return text;
  };
  const std::string deep =
      repeated(R"({"arrayValue":{"values":[)", kValueDepthMax) + "{}" + repeated("]}}", kValueDepthMax);
  for (const std::string& body : {
           RequestWithSpan("\"name\":\"" + std::string(300'000, '\xff') + "\""),
           RequestWithValue(R"({"arrayValue":{"values":[)" + repeated("{},", 100'000) + "{}]}}"),
           RequestWithValue(R"({"arrayValue":{"values":[)" + repeated("null,", 100'000) + "null]}}"),
           RequestWithValue(R"({"arrayValue":{"values":[)" + repeated(R"({"intValue":1e9},)", 50'000) + "{}]}}"),
           RequestWithValue(deep),
           R"({"resourceSpans":[)" + repeated("{},", 100'000) + "{}]}",
       }) {
    EXPECT_LE(Transcoded(body).size(), kJsonExpansionMax * body.size()) << body.substr(0, 100);
  }
}

TEST(Transcode, TakesEntityReferences) {
  const std::string wire = Transcoded(
      R"({"resourceSpans":[{"resource":{"entityRefs":[{"type":"host","idKeys":["host.id",null,"host.name"]}]}}]})");
  const ResourceView resource = (*TracesView(wire).resource_spans().begin()).resource();
  const EntityRefView entity = *resource.entity_refs().begin();
  EXPECT_EQ(entity.type(), "host");
  EXPECT_EQ(entity.id_keys().Count(), 2u);
  EXPECT_THAT(Refusal(R"({"resourceSpans":[{"resource":{"entityRefs":[{"idKeys":["a",1]}]}}]})"),
              HasSubstr("resource.entityRefs[0].idKeys[1]: expected a string"));
}

// Scenario: every field of every message is null once, and so is each list element.
// Guarantees: that reads as if the field were absent.
TEST(Transcode, TakesNullsAnywhere) {
  EXPECT_EQ(Transcoded(R"({"resourceSpans":null})"), "");
  EXPECT_EQ(Transcoded(R"({"resourceSpans":[null]})"), "");
  const OneSpan span(
      R"("traceId":null,"spanId":null,"traceState":null,"parentSpanId":null,"name":null,"kind":null,)"
      R"("startTimeUnixNano":null,"endTimeUnixNano":null,"attributes":null,"droppedAttributesCount":null,)"
      R"("events":[null,{"name":null}],"links":[{"traceId":null}],"status":null,"flags":null)");
  EXPECT_TRUE((*span).trace_id().IsZero());
  EXPECT_EQ((*span).events().Count(), 1u);
  EXPECT_EQ((*span).links().Count(), 1u);
  EXPECT_EQ((*OneValue("null")).kind(), Kind::kNone);
  EXPECT_EQ((*OneValue(R"({"stringValue":null})")).kind(), Kind::kNone);
}

TEST(Transcode, SkipsUnknownFields) {
  EXPECT_EQ(Transcoded(R"({"foo":{"bar":[1,"2"]},"resourceSpans":[]})"), "");
  EXPECT_EQ((*OneSpan(R"("Name":"no","name":"yes","nameX":[{}])")).name(), "yes");
}

TEST(Transcode, SkipsInstrumentationLibrarySpansAsTheCollectorDoes) {
  const std::string wire = Transcoded(R"({"resourceSpans":[{"instrumentationLibrarySpans":[{"spans":[{}]}]}]})");
  EXPECT_EQ(ValidateTraces(wire)->spans, 0u);
}

TEST(Transcode, KeepsDuplicateAttributesAndLetsTheLastOfADuplicateKeyWin) {
  const OneSpan span(
      R"("name":"first","attributes":[{"key":"a","value":{"intValue":1}},{"key":"a","value":{"intValue":"2"}}],)"
      R"("name":"last")");
  EXPECT_EQ((*span).attributes().Count(), 2u);
  EXPECT_EQ((*span).name(), "last");
}

TEST(Transcode, TakesEventsLinksAndSchemas) {
  const OneSpan span(
      R"("events":[{"timeUnixNano":"7","name":"e","attributes":[{"key":"a","value":{"boolValue":true}}]}],)"
      R"("droppedEventsCount":2,"links":[{"traceId":"5b8efff798038103d269b633813fc60c","traceState":"a=b",)"
      R"("spanId":"eee19b7ec3c1b174","flags":257}],"droppedLinksCount":"3","flags":769)");
  const EventView event = *(*span).events().begin();
  EXPECT_EQ(event.time_unix_ns(), 7u);
  EXPECT_EQ(event.name(), "e");
  EXPECT_TRUE(FindAttribute(event.attributes(), "a")->bool_value());
  EXPECT_EQ((*span).dropped_events_count(), 2u);
  const LinkView link = *(*span).links().begin();
  EXPECT_EQ(link.trace_id().Hex(), "5b8efff798038103d269b633813fc60c");
  EXPECT_EQ(link.trace_state(), "a=b");
  EXPECT_EQ(link.flags(), 257u);
  EXPECT_EQ((*span).dropped_links_count(), 3u);
  EXPECT_EQ((*span).flags(), 769u);

  const std::string wire = Transcoded(
      R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},)"
      R"("schemaUrl":"u1","scopeSpans":[{"scope":{"name":"n","version":"v"},"schemaUrl":"u2"}]}]})");
  const ResourceSpansView resource_spans = *TracesView(wire).resource_spans().begin();
  EXPECT_EQ(resource_spans.schema_url(), "u1");
  EXPECT_EQ(resource_spans.resource().service_name(), "shop");
  const ScopeSpansView scope_spans = *resource_spans.scope_spans().begin();
  EXPECT_EQ(scope_spans.schema_url(), "u2");
  EXPECT_EQ(scope_spans.scope().name(), "n");
  EXPECT_EQ(scope_spans.scope().version(), "v");
}

TEST(Transcode, TakesIntegers) {
  EXPECT_EQ((*OneValue(R"({"intValue":5})")).int_value(), 5);
  EXPECT_EQ((*OneValue(R"({"intValue":"-5"})")).int_value(), -5);
  EXPECT_EQ((*OneValue(R"({"intValue":5.0})")).int_value(), 5);
  EXPECT_EQ((*OneValue(R"({"intValue":"9223372036854775807"})")).int_value(), INT64_MAX);
  EXPECT_EQ((*OneValue(R"({"intValue":-9223372036854775808})")).int_value(), INT64_MIN);
  EXPECT_EQ((*OneValue(R"({"intValue":-0.0})")).kind(), Kind::kInt);
}

TEST(Transcode, MakesDoublesOfIntegersBeyond64Bits) {
  for (const auto& [json, expected] : std::vector<std::pair<std::string, double>>{
           {"1e+300", 1e300}, {"9223372036854775808", 0x1p63}, {"18446744073709552000", 0x1p64}, {"-1e19", -1e19}}) {
    const OneValue value("{\"intValue\":" + json + "}");
    EXPECT_EQ((*value).kind(), Kind::kDouble) << json;
    EXPECT_EQ((*value).double_value(), expected) << json;
  }
}

TEST(Transcode, RefusesIntegersThatAreNone) {
  for (const char* json : {"\"abc\"", "1.5", "\"1.5\"", "\"\"", "\"9223372036854775808\"", "true", "[]"}) {
    EXPECT_THAT(Refusal(RequestWithValue("{\"intValue\":" + std::string(json) + "}")),
                HasSubstr("attributes[0].value.intValue: expected a 64-bit integer"))
        << json;
  }
}

TEST(Transcode, TakesDoubles) {
  EXPECT_EQ((*OneValue(R"({"doubleValue":1.5})")).double_value(), 1.5);
  EXPECT_EQ((*OneValue(R"({"doubleValue":2})")).double_value(), 2.0);
  EXPECT_EQ((*OneValue(R"({"doubleValue":2})")).kind(), Kind::kDouble);
  EXPECT_EQ((*OneValue(R"({"doubleValue":"-1.5e3"})")).double_value(), -1500.0);
  EXPECT_TRUE(std::isnan((*OneValue(R"({"doubleValue":"NaN"})")).double_value()));
  EXPECT_EQ((*OneValue(R"({"doubleValue":"Infinity"})")).double_value(), std::numeric_limits<double>::infinity());
  EXPECT_EQ((*OneValue(R"({"doubleValue":"-Inf"})")).double_value(), -std::numeric_limits<double>::infinity());
  EXPECT_EQ((*OneValue(R"({"doubleValue":"-Infinity"})")).double_value(), -std::numeric_limits<double>::infinity());
  EXPECT_EQ((*OneValue(R"({"doubleValue":null})")).kind(), Kind::kDouble);
  EXPECT_TRUE(std::isnan((*OneValue(R"({"doubleValue":null})")).double_value()));
  for (const char* json : {"\"nan\"", "\"inf\"", "\"\"", "\"1.5x\"", "true"}) {
    EXPECT_THAT(Refusal(RequestWithValue("{\"doubleValue\":" + std::string(json) + "}")),
                HasSubstr("value.doubleValue"));
  }
}

TEST(Transcode, TakesBytesInBothAlphabetsOfBase64) {
  EXPECT_EQ((*OneValue(R"({"bytesValue":"AQI="})")).bytes_value(), "\x01\x02");
  EXPECT_EQ((*OneValue(R"({"bytesValue":"AQI"})")).bytes_value(), "\x01\x02");
  EXPECT_EQ((*OneValue(R"({"bytesValue":"+/8="})")).bytes_value(), "\xfb\xff");
  EXPECT_EQ((*OneValue(R"({"bytesValue":"-_8"})")).bytes_value(), "\xfb\xff");
  EXPECT_EQ((*OneValue(R"({"bytesValue":""})")).kind(), Kind::kBytes);
  EXPECT_THAT(Refusal(RequestWithValue(R"({"bytesValue":"*"})")), HasSubstr("value.bytesValue: expected base64"));
}

TEST(Transcode, KeepsThePlacesOfEmptyAndNullArrayElements) {
  const OneValue value(R"({"arrayValue":{"values":[{"intValue":1},{},null,{"intValue":4}]}})");
  std::vector<Kind> kinds;
  for (const ValueView element : (*value).array()) kinds.push_back(element.kind());
  EXPECT_EQ(kinds, (std::vector<Kind>{Kind::kInt, Kind::kNone, Kind::kNone, Kind::kInt}));
}

TEST(Transcode, TakesMaps) {
  const OneValue value(R"({"kvlistValue":{"values":[{"key":"k","value":{"kvlistValue":{}}}]}})");
  EXPECT_EQ((*FindAttribute((*value).map(), "k")).kind(), Kind::kMap);
}

TEST(Transcode, BoundsTheNestingOfValues) {
  const auto nested = [](int depth) {
    std::string value = R"({"intValue":1})";
    for (int i = 0; i < depth; ++i) value = R"({"arrayValue":{"values":[)" + value + "]}}";
    return RequestWithValue(value);
  };
  Transcoded(nested(kValueDepthMax));
  EXPECT_THAT(Refusal(nested(kValueDepthMax + 1)), HasSubstr("nested"));
  EXPECT_THAT(Refusal(nested(2000)), HasSubstr("nested"));
}

TEST(Transcode, RefusesOtherTypesThanTheFieldHas) {
  EXPECT_THAT(Refusal("[]"), HasSubstr("body: expected an object"));
  EXPECT_THAT(Refusal(R"({"resourceSpans":{}})"), HasSubstr("resourceSpans: expected an array, found an object"));
  EXPECT_THAT(Refusal(R"({"resourceSpans":[1]})"), HasSubstr("resourceSpans[0]: expected an object, found 1"));
  EXPECT_THAT(Refusal(RequestWithSpan(R"("name":5)")), HasSubstr("spans[0].name: expected a string, found 5"));
  EXPECT_THAT(Refusal(RequestWithValue(R"({"boolValue":"true"})")),
              HasSubstr("value.boolValue: expected true or false"));
  EXPECT_THAT(Refusal(RequestWithSpan(R"("flags":4294967296)")),
              HasSubstr("spans[0].flags: expected an unsigned 32-bit"));
}

TEST(Transcode, NamesTheByteWhereItIsNotJson) {
  EXPECT_THAT(Refusal(""), HasSubstr("at byte 0"));
  EXPECT_THAT(Refusal(R"({"resourceSpans":[})"), HasSubstr("at byte 18"));
  EXPECT_THAT(Refusal("\x0a\x02\x08\x01"), HasSubstr("not JSON at byte 1 of 4"));
}

TEST(Transcode, MendsHalfSurrogatePairsAndInvalidUtf8) {
  EXPECT_EQ((*OneSpan(R"("name":"a\ud83d")")).name(), "a\xef\xbf\xbd");
  EXPECT_EQ((*OneSpan("\"name\":\"a\xff\"")).name(), "a\xef\xbf\xbd");
  EXPECT_EQ((*OneSpan(R"("name":"\ud83d\ude80")")).name(), "\xf0\x9f\x9a\x80");
}

// Scenario: the two bodies that the JavaScript SDK sent, with its special values, one of which simdjson refuses.
// Guarantees: all spans arrive; NaN and the infinities, 1e+300, an empty element and a lone surrogate are what the
// table says.
TEST(Transcode, TakesWhatTheJavaScriptSdkSends) {
  size_t items = 0;
  for (const RecordedRequest& request : ReadRecordedRequests(".json")) {
    const std::string wire = Transcoded(request.body);
    EXPECT_EQ(Digest().Add(TracesView(wire)), request.spans) << request.name;
    const ResourceSpansView resource_spans = *TracesView(wire).resource_spans().begin();
    EXPECT_EQ(resource_spans.resource().service_name(), "js-shop");
    for (const ScopeSpansView scope_spans : resource_spans.scope_spans()) {
      for (const SpanView span : scope_spans.spans()) {
        if (span.name() != "GET /items") continue;
        ++items;
        const auto attributes = span.attributes();
        EXPECT_EQ(attributes.Count(), 23u);
        EXPECT_EQ(FindAttribute(attributes, "max_safe")->int_value(), 9007199254740991);
        EXPECT_EQ(FindAttribute(attributes, "negzero")->kind(), Kind::kInt);
        EXPECT_TRUE(std::isnan(FindAttribute(attributes, "inf")->double_value()));
        EXPECT_TRUE(std::isnan(FindAttribute(attributes, "nan")->double_value()));
        EXPECT_EQ(FindAttribute(attributes, "e300")->double_value(), 1e300);
        EXPECT_EQ(FindAttribute(attributes, "arr_s")->array().Count(), 4u);
        EXPECT_THAT(FindAttribute(attributes, "unicode")->string_value(), testing::EndsWith("rtl \xef\xbf\xbd lone"));
        EXPECT_EQ(FindAttribute(attributes, "long")->string_value().size(), 20'000u);
      }
    }
  }
  EXPECT_EQ(items, 1u);
}

// Scenario: recorded JSON bodies, damaged at random by a seeded generator.
// Guarantees: each is either refused as invalid, or becomes a valid request.
TEST(TranscodeProperty, RefusesOrTranslatesDamagedRequests) {
  Rng rng(3);
  const std::string body = ReadRecordedRequests(".json")[0].body.substr(0, 6000);
  size_t translated = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string damaged = body.substr(0, body.rfind("},{\"traceId\"") + 1) + "]}]}]}";
    damaged[rng.Below(damaged.size())] = "{}[]\",:0-e\\u\xff\x01n"[rng.Below(15)];
    const auto wire = TranscodeTracesJson(damaged);
    if (!wire.ok()) {
      ASSERT_EQ(wire.status().code(), absl::StatusCode::kInvalidArgument) << wire.status();
      continue;
    }
    ++translated;
    ASSERT_TRUE(ValidateTraces(*wire).ok()) << "round " << round;
  }
  EXPECT_GT(translated, 100u);
}

}  // namespace
}  // namespace spanloom::otlp
