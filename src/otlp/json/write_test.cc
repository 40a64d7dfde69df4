// SPDX-License-Identifier: Apache-2.0

#include "otlp/json/write.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "otlp/json/transcode.h"
#include "otlp/request.h"
#include "otlp/testing/digest.h"
#include "otlp/testing/recorded_requests.h"
#include "otlp/writer.h"

namespace spanloom::otlp {
namespace {

Batch Read(std::string wire) {
  auto slice = ReadTraces(Bytes(std::move(wire)));
  EXPECT_TRUE(slice.ok()) << slice.status();
  return Batch(*std::move(slice));
}

std::string Json(const Batch& batch) {
  std::string json;
  WriteJson(batch, json);
  return json;
}

uint64_t DigestOf(std::string_view wire) {
  Digest digest;
  digest.Add(TracesView(wire));
  return digest.value();
}

// A request with one span without a name or times.
Batch SpanWith(absl::FunctionRef<void(SpanWriter&)> write) {
  std::string wire;
  RequestWriter request(wire);
  request.BeginResource({});
  request.BeginScope({});
  SpanWriter span = request.BeginSpan({});
  write(span);
  span.End();
  request.End();
  return Read(std::move(wire));
}

// The JSON of a span with these attributes.
std::string AttributesJson(absl::FunctionRef<void(AttributeWriter&)> write) {
  const std::string json = Json(SpanWith([&](SpanWriter& span) {
    AttributeWriter attributes = span.attributes();
    write(attributes);
  }));
  const std::string head = R"({"resourceSpans":[{"resource":{},"scopeSpans":[{"scope":{},"spans":[{"attributes":)";
  const std::string tail = R"(,"status":{}}]}]}]})";
  EXPECT_TRUE(json.starts_with(head) && json.ends_with(tail)) << json;
  return json.substr(head.size(), json.size() - head.size() - tail.size());
}

TEST(WriteJson, WritesEveryFieldAsTheSpecificationSays) {
  std::string wire;
  RequestWriter request(wire);
  request.BeginResource(EncodeResource([](AttributeWriter& w) { w.String("service.name", "shop"); }), "r-url");
  request.BeginScope(EncodeScope({.name = "lib", .version = "1"}), "s-url");
  SpanFields fields = {.trace_state = "a=b",
                       .name = "GET",
                       .kind = SpanKind::kServer,
                       .start_unix_ns = 1544712660000000000,
                       .end_unix_ns = std::numeric_limits<uint64_t>::max(),
                       .flags = 0x101};
  fields.trace_id.bytes.fill(0xab);
  fields.span_id.bytes.fill(0x01);
  fields.parent_span_id.bytes.fill(0x02);
  SpanWriter span = request.BeginSpan(fields);
  span.AddEvent(
      7, "event", [](AttributeWriter& w) { w.Bool("b", false); }, 1);
  span.AddLink({.trace_id = fields.trace_id, .span_id = fields.span_id, .trace_state = "l", .flags = 1});
  span.SetDropped({.attributes = 2, .events = 3, .links = 4});
  span.SetStatus(StatusCode::kError, "boom");
  span.End();
  request.End();
  EXPECT_EQ(Json(Read(wire)),
            R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},)"
            R"("scopeSpans":[{"scope":{"name":"lib","version":"1"},"spans":[{)"
            R"("traceId":"abababababababababababababababab","spanId":"0101010101010101","traceState":"a=b",)"
            R"("parentSpanId":"0202020202020202","flags":257,"name":"GET","kind":2,)"
            R"("startTimeUnixNano":"1544712660000000000",)"
            R"("endTimeUnixNano":"18446744073709551615","droppedAttributesCount":2,)"
            R"("events":[{"timeUnixNano":"7","name":"event","attributes":[{"key":"b","value":{"boolValue":false}}],)"
            R"("droppedAttributesCount":1}],"droppedEventsCount":3,)"
            R"("links":[{"traceId":"abababababababababababababababab","spanId":"0101010101010101","traceState":"l",)"
            R"("flags":1}],"droppedLinksCount":4,"status":{"message":"boom","code":2}}],"schemaUrl":"s-url"}],)"
            R"("schemaUrl":"r-url"}]})");
}

TEST(WriteJson, WritesEveryKindOfValueAsItsKind) {
  EXPECT_EQ(AttributesJson([](AttributeWriter& w) {
              w.String("s", "").Int("i", -5).Int("zero", 0).Double("d", 0.5).Bytes("b", "\xff\xfe").Encoded("none", {});
            }),
            R"([{"key":"s","value":{"stringValue":""}},{"key":"i","value":{"intValue":"-5"}},)"
            R"({"key":"zero","value":{"intValue":"0"}},{"key":"d","value":{"doubleValue":0.5}},)"
            R"({"key":"b","value":{"bytesValue":"//4="}},{"key":"none","value":{}}])");
  EXPECT_EQ(AttributesJson([](AttributeWriter& w) {
              w.Array("a", [](ArrayWriter& array) { array.Int(1).Encoded({}); });
              w.Map("m", [](AttributeWriter& map) { map.Bool("k", true); });
              w.Array("empty", [](ArrayWriter&) {});
            }),
            R"([{"key":"a","value":{"arrayValue":{"values":[{"intValue":"1"},{}]}}},)"
            R"({"key":"m","value":{"kvlistValue":{"values":[{"key":"k","value":{"boolValue":true}}]}}},)"
            R"({"key":"empty","value":{"arrayValue":{}}}])");
}

TEST(WriteJson, NamesTheDoublesThatJsonCannotSay) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(AttributesJson([](AttributeWriter& w) {
              w.Double("n", std::numeric_limits<double>::quiet_NaN()).Double("i", kInfinity).Double("-", -kInfinity);
              w.Double("0", -0.0);
            }),
            R"([{"key":"n","value":{"doubleValue":"NaN"}},{"key":"i","value":{"doubleValue":"Infinity"}},)"
            R"({"key":"-","value":{"doubleValue":"-Infinity"}},{"key":"0","value":{"doubleValue":"-0"}}])");
}

// Scenario: doubles at the ends of each form, and beyond 2^53.
// Guarantees: the digits that the Collector's files have.
TEST(WriteJson, WritesDoublesAsTheCollectorDoes) {
  std::string numbers;
  for (const double value : {0.0, 1.0, -2.5, 1e20, 1e21, 1.5e300, 1e-6, 1e-7, 0.00001, 123456789012345680000.0,
                             9223372036854775807.0, -9007199254740993.0, 5e-324, 3e-10, 1e15, 12345.678}) {
    const std::string json = AttributesJson([&](AttributeWriter& w) { w.Double("d", value); });
    const size_t begin = json.find("doubleValue\":") + 13;
    numbers += json.substr(begin, json.find('}') - begin) + " ";
  }
  EXPECT_EQ(numbers,
            "0 1 -2.5 100000000000000000000 1e+21 1.5e+300 0.000001 1e-07 0.00001 123456789012345680000 "
            "9223372036854776000 -9007199254740992 5e-324 3e-10 1000000000000000 12345.678 ");
}

// Scenario: ids of zeros, and messages that a span, an attribute, a log record and a point do not have.
// Guarantees: ids of zeros are left out; what the Collector writes in any case is there.
TEST(WriteJson, WritesWhatTheCollectorWritesInAnyCase) {
  const auto json = [](Signal signal, std::string_view sent) {
    auto wire = TranscodeJson(signal, sent);
    EXPECT_TRUE(wire.ok()) << wire.status();
    auto slice = ReadRequest(signal, Bytes(*std::move(wire)));
    EXPECT_TRUE(slice.ok()) << slice.status();
    return Json(Batch(*std::move(slice)));
  };
  EXPECT_EQ(json(Signal::kTraces,
                 R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"00000000000000000000000000000000",)"
                 R"("spanId":"0000000000000000","attributes":[{"key":"a"}]}]}]}]})"),
            R"({"resourceSpans":[{"resource":{},"scopeSpans":[{"scope":{},"spans":[{)"
            R"("attributes":[{"key":"a","value":{}}],"status":{}}]}]}]})");
  EXPECT_EQ(
      json(Signal::kLogs,
           R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[{"observedTimeUnixNano":"4","severityNumber":9}]}]}]})"),
      R"({"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{},"logRecords":[{)"
      R"("observedTimeUnixNano":"4","severityNumber":9,"body":{}}]}]}]})");
  EXPECT_EQ(json(Signal::kMetrics,
                 R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"exponentialHistogram":{"dataPoints":[)"
                 R"({"sum":0,"zeroThreshold":0,"attributes":[{"key":"k","value":{"intValue":1}}]}]}},)"
                 R"({"summary":{"dataPoints":[{"sum":0,"quantileValues":[{"quantile":0,"value":0}]}]}}]}]}]})"),
            R"({"resourceMetrics":[{"resource":{},"scopeMetrics":[{"scope":{},"metrics":[{"exponentialHistogram":)"
            R"({"dataPoints":[{"attributes":[{"key":"k","value":{"intValue":"1"}}],"sum":0,"positive":{},"negative":{})"
            R"(}]}},{"summary":{"dataPoints":[{"quantileValues":[{}]}]}}]}]}]})");
}

TEST(WriteJson, LosesUnknownFieldsAndReplacesWhatIsNotUtf8) {
  const std::string spans = std::string("\x12\x07") + "\x2a\x02" + "a\xff" + "\xa0\x06\x01";
  std::string wire;
  RequestWriter request(wire);
  request.BeginResource({});
  request.BeginScope({});
  request.AddEncodedSpans(spans);
  request.End();
  EXPECT_EQ(Json(Read(wire)),
            "{\"resourceSpans\":[{\"resource\":{},\"scopeSpans\":[{\"scope\":{},\"spans\":[{\"name\":\"a\xef\xbf\xbd\","
            "\"status\":{}}"
            "]}]}]}");
}

TEST(WriteJson, WritesEntityReferences) {
  std::string resource;
  wire::Writer(resource).Bytes(field::Resource::kEntityRefs, "\x12\x04host\x1a\x07host.id\x1a\x01x");
  std::string wire;
  RequestWriter request(wire);
  request.BeginResource(resource);
  request.BeginScope({});
  request.BeginSpan({}).End();
  request.End();
  EXPECT_NE(Json(Read(wire)).find(R"({"entityRefs":[{"type":"host","idKeys":["host.id","x"]}]})"), std::string::npos);
}

TEST(WriteJson, WritesWhatIsLeftOfSeveralSlices) {
  Batch batch = SpanWith([](SpanWriter& span) { span.SetStatus(StatusCode::kOk); });
  batch.Add(SpanWith([](SpanWriter& span) { span.SetStatus(StatusCode::kError); }));
  batch.Add(SpanWith([](SpanWriter& span) { span.SetStatus(StatusCode::kError); }));
  batch.slices()[1].DropIf([](const SpanContext&) { return true; });
  batch.slices()[2].EditSpans([](SpanEditContext& context) { context.span().SetName("edited"); });
  EXPECT_EQ(Json(batch),
            R"({"resourceSpans":[{"resource":{},"scopeSpans":[{"scope":{},"spans":[{"status":{"code":1}}]}]},)"
            R"({"resource":{},"scopeSpans":[{"scope":{},"spans":[{"name":"edited","status":{"code":2}}]}]}]})");
  EXPECT_EQ(Json(Batch()), R"({"resourceSpans":[]})");
}

// Scenario: every recorded request, protobuf and JSON.
// Guarantees: written as JSON and read again, it means the same, down to the last attribute value.
TEST(WriteJsonProperty, SurvivesARoundTrip) {
  for (const std::string extension : {".pb", ".json"}) {
    for (const RecordedRequest& request : ReadRecordedRequests(extension)) {
      const std::string wire = extension == ".pb" ? request.body : *TranscodeTracesJson(request.body);
      const auto again = TranscodeTracesJson(Json(Read(wire)));
      ASSERT_TRUE(again.ok()) << request.name << ": " << again.status();
      ASSERT_EQ(DigestOf(*again), DigestOf(wire)) << request.name;
    }
  }
}

}  // namespace
}  // namespace spanloom::otlp
