// SPDX-License-Identifier: Apache-2.0
//
// The texts were recorded from a Collector 0.155.0 that was sent the same requests.

#include "pipeline/exporters/debug_text.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "otlp/json/transcode.h"
#include "otlp/request.h"

namespace spanloom::pipeline {
namespace {

otlp::Batch FromJson(otlp::Signal signal, std::string_view json) {
  auto wire = otlp::TranscodeJson(signal, json);
  EXPECT_TRUE(wire.ok()) << wire.status();
  auto slice = otlp::ReadRequest(signal, Bytes(*std::move(wire)));
  EXPECT_TRUE(slice.ok()) << slice.status();
  return otlp::Batch(*std::move(slice));
}

constexpr std::string_view kTracesJson =
    R"({"resourceSpans":[{"schemaUrl":"u","resource":{"attributes":[{"key":"service.name","valu)"
    R"(e":{"stringValue":"s"}}]},"scopeSpans":[{"scope":{"name":"sc","version":"1"},"spans":[{")"
    R"(traceId":"000102030405060708090a0b0c0d0e0f","spanId":"0102030405060708","parentSpanId":")"
    R"(0203040506070809","name":"n","kind":3,"startTimeUnixNano":"5","endTimeUnixNano":"9","tra)"
    R"(ceState":"a=b","flags":257,"droppedAttributesCount":1,"attributes":[{"key":"k0","value":)"
    R"({"stringValue":"x"}},{"key":"k1","value":{"intValue":"-5"}},{"key":"k2","value":{"double)"
    R"(Value":1.5}},{"key":"k3","value":{"boolValue":false}},{"key":"k4","value":{"bytesValue":)"
    R"("AQI="}},{"key":"k5","value":{"arrayValue":{"values":[{"intValue":"1"}]}}},{"key":"k6",")"
    R"(value":{"kvlistValue":{"values":[{"key":"i","value":{"stringValue":""}}]}}},{"key":"k7"})"
    R"(],"events":[{"name":"ev","timeUnixNano":"7","attributes":[{"key":"x"}]}],"links":[{"trac)"
    R"(eId":"00000000000000000000000000000000","spanId":"0102030405060708"}],"status":{"code":2)"
    R"(,"message":"m"}},{}]}]}]})";

constexpr std::string_view kTracesNormal =
    "ResourceTraces #0 [u] service.name=s\n"
    "ScopeTraces #0 sc@1\n"
    "n 000102030405060708090a0b0c0d0e0f 0102030405060708 k0=x k1=-5 k2=1.5 k3=false k4=AQI= k5=[1] k6={\"i\":\"\"} "
    "k7=\n"
    "  \n";

constexpr std::string_view kTracesDetailed =
    "ResourceSpans #0\n"
    "Resource SchemaURL: u\n"
    "Resource attributes:\n"
    "     -> service.name: Str(s)\n"
    "ScopeSpans #0\n"
    "ScopeSpans SchemaURL: \n"
    "InstrumentationScope sc 1\n"
    "Span #0\n"
    "    Trace ID       : 000102030405060708090a0b0c0d0e0f\n"
    "    Parent ID      : 0203040506070809\n"
    "    ID             : 0102030405060708\n"
    "    Name           : n\n"
    "    Kind           : Client\n"
    "    TraceState     : a=b\n"
    "    Start time     : 1970-01-01 00:00:00.000000005 +0000 UTC\n"
    "    End time       : 1970-01-01 00:00:00.000000009 +0000 UTC\n"
    "    Status code    : Error\n"
    "    Status message : m\n"
    "    DroppedAttributesCount: 1\n"
    "    DroppedEventsCount: 0\n"
    "    DroppedLinksCount: 0\n"
    "Attributes:\n"
    "     -> k0: Str(x)\n"
    "     -> k1: Int(-5)\n"
    "     -> k2: Double(1.5)\n"
    "     -> k3: Bool(false)\n"
    "     -> k4: Bytes(AQI=)\n"
    "     -> k5: Slice([1])\n"
    "     -> k6: Map({\"i\":\"\"})\n"
    "     -> k7: Empty()\n"
    "Events:\n"
    "SpanEvent #0\n"
    "     -> Name: ev\n"
    "     -> Timestamp: 1970-01-01 00:00:00.000000007 +0000 UTC\n"
    "     -> DroppedAttributesCount: 0\n"
    "     -> Attributes::\n"
    "          -> x: Empty()\n"
    "Links:\n"
    "SpanLink #0\n"
    "     -> Trace ID: \n"
    "     -> ID: 0102030405060708\n"
    "     -> TraceState: \n"
    "     -> DroppedAttributesCount: 0\n"
    "Span #1\n"
    "    Trace ID       : \n"
    "    Parent ID      : \n"
    "    ID             : \n"
    "    Name           : \n"
    "    Kind           : Unspecified\n"
    "    Start time     : 1970-01-01 00:00:00 +0000 UTC\n"
    "    End time       : 1970-01-01 00:00:00 +0000 UTC\n"
    "    Status code    : Unset\n"
    "    Status message : \n"
    "    DroppedAttributesCount: 0\n"
    "    DroppedEventsCount: 0\n"
    "    DroppedLinksCount: 0\n";

// Scenario: spans with every field, and with none.
// Guarantees: the Collector's lines.
TEST(DebugText, WritesTracesAsTheCollectorDoes) {
  const otlp::Batch batch = FromJson(otlp::Signal::kTraces, kTracesJson);
  EXPECT_EQ(NormalText(batch), kTracesNormal);
  EXPECT_EQ(DetailedText(batch), kTracesDetailed);
}

constexpr std::string_view kLogsJson =
    R"({"resourceLogs":[{"resource":{"attributes":[{"key":"r","value":{"boolValue":false}}],"dr)"
    R"(oppedAttributesCount":2,"entityRefs":[{"schemaUrl":"u","type":"t","idKeys":["a"],"descri)"
    R"(ptionKeys":["d"]}]},"schemaUrl":"s","scopeLogs":[{"scope":{"name":"n","version":"v","att)"
    R"(ributes":[{"key":"s"}],"droppedAttributesCount":1},"schemaUrl":"t","logRecords":[{"timeU)"
    R"(nixNano":"1","observedTimeUnixNano":"2","severityNumber":9,"severityText":"INFO","body":)"
    R"({"kvlistValue":{"values":[{"key":"a","value":{"bytesValue":"AQI="}}]}},"attributes":[{"k)"
    R"(ey":"a","value":{"stringValue":""}}],"droppedAttributesCount":1,"flags":1,"traceId":"5b8)"
    R"(efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","eventName":"e"}]}]}]})";

constexpr std::string_view kLogsNormal =
    "ResourceLog #0 [s] r=false\n"
    "ScopeLog #0 n@v [t] s=\n"
    "{\"a\":\"AQI=\"} a=\n";

constexpr std::string_view kLogsDetailed =
    "ResourceLog #0\n"
    "Resource SchemaURL: s\n"
    "Resource attributes:\n"
    "     -> r: Bool(false)\n"
    "Resource entity refs:\n"
    "     -> Entity ref #0:\n"
    "          -> Type: t\n"
    "          -> Schema URL: u\n"
    "          -> ID keys:\n"
    "               -> a\n"
    "          -> Description keys:\n"
    "               -> d\n"
    "ScopeLogs #0\n"
    "ScopeLogs SchemaURL: t\n"
    "InstrumentationScope n v\n"
    "InstrumentationScope attributes:\n"
    "     -> s: Empty()\n"
    "LogRecord #0\n"
    "ObservedTimestamp: 1970-01-01 00:00:00.000000002 +0000 UTC\n"
    "Timestamp: 1970-01-01 00:00:00.000000001 +0000 UTC\n"
    "SeverityText: INFO\n"
    "SeverityNumber: Info(9)\n"
    "EventName: e\n"
    "Body: Map({\"a\":\"AQI=\"})\n"
    "Attributes:\n"
    "     -> a: Str()\n"
    "Trace ID: 5b8efff798038103d269b633813fc60c\n"
    "Span ID: eee19b7ec3c1b174\n"
    "Flags: 1\n";

// Scenario: a log record with every field.
// Guarantees: the Collector's lines.
TEST(DebugText, WritesLogsAsTheCollectorDoes) {
  const otlp::Batch batch = FromJson(otlp::Signal::kLogs, kLogsJson);
  EXPECT_EQ(NormalText(batch), kLogsNormal);
  EXPECT_EQ(DetailedText(batch), kLogsDetailed);
}

constexpr std::string_view kMetricsJson =
    R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"g","description":"d","unit":"1)"
    R"(","metadata":[{"key":"k"}],"gauge":{"dataPoints":[{"asInt":"0"},{"asDouble":0},{},{"asDo)"
    R"(uble":1.5,"exemplars":[{"asInt":"3","traceId":"5b8efff798038103d269b633813fc60c","spanId)"
    R"(":"eee19b7ec3c1b174","filteredAttributes":[{"key":"f"}],"timeUnixNano":"4"},{}],"flags":)"
    R"(1}]}},{"name":"s","sum":{"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[{"s)"
    R"(tartTimeUnixNano":"1","timeUnixNano":"2","asInt":"-5"}]}},{"name":"h","histogram":{"aggr)"
    R"(egationTemporality":1,"dataPoints":[{"count":"3","sum":0,"min":0,"max":0,"bucketCounts":)"
    R"(["1","0",2],"explicitBounds":[0,1.5]},{"count":0,"bucketCounts":[],"explicitBounds":[]}])"
    R"(}},{"name":"e","exponentialHistogram":{"aggregationTemporality":"AGGREGATION_TEMPORALITY)"
    R"(_DELTA","dataPoints":[{"count":"3","scale":-1,"zeroCount":"0","positive":{"offset":-2,"b)"
    R"(ucketCounts":["1",2]},"zeroThreshold":0.5},{}]}},{"name":"su","summary":{"dataPoints":[{)"
    R"("count":"1","sum":2,"quantileValues":[{"quantile":0.5,"value":0},{}]},{}]}},{"name":"non)"
    R"(e"},{"gauge":{}},{"sum":{}},{"histogram":{}},{"exponentialHistogram":{}},{"summary":{}}])"
    R"(}]}]})";

constexpr std::string_view kMetricsNormal =
    "ResourceMetrics #0\n"
    "ScopeMetrics #0\n"
    "g{} 0\n"
    "g{} 0\n"
    "g{} \n"
    "g{} 1.5\n"
    "s{} -5\n"
    "h{} count=3 sum=0 min=0 max=0 le0=1 le1.5=0 2\n"
    "h{} count=0\n"
    "e{} count=3 le0.25=1 le1=2\n"
    "e{} count=0\n"
    "su{} count=1 sum=2.000000 q0.5=0 q0=0\n"
    "su{} count=0 sum=0.000000\n";

constexpr std::string_view kMetricsDetailed =
    "ResourceMetrics #0\n"
    "Resource SchemaURL: \n"
    "ScopeMetrics #0\n"
    "ScopeMetrics SchemaURL: \n"
    "InstrumentationScope  \n"
    "Metric #0\n"
    "Descriptor:\n"
    "     -> Name: g\n"
    "     -> Description: d\n"
    "     -> Unit: 1\n"
    "     -> DataType: Gauge\n"
    "     -> Metadata:\n"
    "          -> k: Empty()\n"
    "NumberDataPoints #0\n"
    "StartTimestamp: 1970-01-01 00:00:00 +0000 UTC\n"
    "Timestamp: 1970-01-01 00:00:00 +0000 UTC\n"
    "Value: 0\n"
    "NumberDataPoints #1\n"
    "StartTimestamp: 1970-01-01 00:00:00 +0000 UTC\n"
    "Timestamp: 1970-01-01 00:00:00 +0000 UTC\n"
    "Value: 0.000000\n"
    "NumberDataPoints #2\n"
    "StartTimestamp: 1970-01-01 00:00:00 +0000 UTC\n"
    "Timestamp: 1970-01-01 00:00:00 +0000 UTC\n"
    "NumberDataPoints #3\n"
    "StartTimestamp: 1970-01-01 00:00:00 +0000 UTC\n"
    "Timestamp: 1970-01-01 00:00:00 +0000 UTC\n"
    "Value: 1.500000\n"
    "Exemplars:\n"
    "Exemplar #0\n"
    "     -> Trace ID: 5b8efff798038103d269b633813fc60c\n"
    "     -> Span ID: eee19b7ec3c1b174\n"
    "     -> Timestamp: 1970-01-01 00:00:00.000000004 +0000 UTC\n"
    "     -> Value: 3\n"
    "     -> FilteredAttributes:\n"
    "          -> f: Empty()\n"
    "Exemplar #1\n"
    "     -> Trace ID: \n"
    "     -> Span ID: \n"
    "     -> Timestamp: 1970-01-01 00:00:00 +0000 UTC\n"
    "Metric #1\n"
    "Descriptor:\n"
    "     -> Name: s\n"
    "     -> Description: \n"
    "     -> Unit: \n"
    "     -> DataType: Sum\n"
    "     -> IsMonotonic: true\n"
    "     -> AggregationTemporality: Cumulative\n"
    "NumberDataPoints #0\n"
    "StartTimestamp: 1970-01-01 00:00:00.000000001 +0000 UTC\n"
    "Timestamp: 1970-01-01 00:00:00.000000002 +0000 UTC\n"
    "Value: -5\n"
    "Metric #2\n"
    "Descriptor:\n"
    "     -> Name: h\n"
    "     -> Description: \n"
    "     -> Unit: \n"
    "     -> DataType: Histogram\n"
    "     -> AggregationTemporality: Delta\n"
    "HistogramDataPoints #0\n"
    "StartTimestamp: 1970-01-01 00:00:00 +0000 UTC\n"
    "Timestamp: 1970-01-01 00:00:00 +0000 UTC\n"
    "Count: 3\n"
    "Sum: 0.000000\n"
    "Min: 0.000000\n"
    "Max: 0.000000\n"
    "ExplicitBounds #0: 0.000000\n"
    "ExplicitBounds #1: 1.500000\n"
    "Buckets #0, Count: 1\n"
    "Buckets #1, Count: 0\n"
    "Buckets #2, Count: 2\n"
    "HistogramDataPoints #1\n"
    "StartTimestamp: 1970-01-01 00:00:00 +0000 UTC\n"
    "Timestamp: 1970-01-01 00:00:00 +0000 UTC\n"
    "Count: 0\n"
    "Metric #3\n"
    "Descriptor:\n"
    "     -> Name: e\n"
    "     -> Description: \n"
    "     -> Unit: \n"
    "     -> DataType: ExponentialHistogram\n"
    "     -> AggregationTemporality: Delta\n"
    "ExponentialHistogramDataPoints #0\n"
    "StartTimestamp: 1970-01-01 00:00:00 +0000 UTC\n"
    "Timestamp: 1970-01-01 00:00:00 +0000 UTC\n"
    "Count: 3\n"
    "Bucket (0.062500, 0.250000], Count: 1\n"
    "Bucket (0.250000, 1.000000], Count: 2\n"
    "ExponentialHistogramDataPoints #1\n"
    "StartTimestamp: 1970-01-01 00:00:00 +0000 UTC\n"
    "Timestamp: 1970-01-01 00:00:00 +0000 UTC\n"
    "Count: 0\n"
    "Metric #4\n"
    "Descriptor:\n"
    "     -> Name: su\n"
    "     -> Description: \n"
    "     -> Unit: \n"
    "     -> DataType: Summary\n"
    "SummaryDataPoints #0\n"
    "StartTimestamp: 1970-01-01 00:00:00 +0000 UTC\n"
    "Timestamp: 1970-01-01 00:00:00 +0000 UTC\n"
    "Count: 1\n"
    "Sum: 2.000000\n"
    "QuantileValue #0: Quantile 0.500000, Value 0.000000\n"
    "QuantileValue #1: Quantile 0.000000, Value 0.000000\n"
    "SummaryDataPoints #1\n"
    "StartTimestamp: 1970-01-01 00:00:00 +0000 UTC\n"
    "Timestamp: 1970-01-01 00:00:00 +0000 UTC\n"
    "Count: 0\n"
    "Sum: 0.000000\n"
    "Metric #5\n"
    "Descriptor:\n"
    "     -> Name: none\n"
    "     -> Description: \n"
    "     -> Unit: \n"
    "     -> DataType: Empty\n"
    "Metric #6\n"
    "Descriptor:\n"
    "     -> Name: \n"
    "     -> Description: \n"
    "     -> Unit: \n"
    "     -> DataType: Gauge\n"
    "Metric #7\n"
    "Descriptor:\n"
    "     -> Name: \n"
    "     -> Description: \n"
    "     -> Unit: \n"
    "     -> DataType: Sum\n"
    "     -> IsMonotonic: false\n"
    "     -> AggregationTemporality: Unspecified\n"
    "Metric #8\n"
    "Descriptor:\n"
    "     -> Name: \n"
    "     -> Description: \n"
    "     -> Unit: \n"
    "     -> DataType: Histogram\n"
    "     -> AggregationTemporality: Unspecified\n"
    "Metric #9\n"
    "Descriptor:\n"
    "     -> Name: \n"
    "     -> Description: \n"
    "     -> Unit: \n"
    "     -> DataType: ExponentialHistogram\n"
    "     -> AggregationTemporality: Unspecified\n"
    "Metric #10\n"
    "Descriptor:\n"
    "     -> Name: \n"
    "     -> Description: \n"
    "     -> Unit: \n"
    "     -> DataType: Summary\n";

// Scenario: metrics of every kind, with points that say everything and nothing.
// Guarantees: the Collector's lines.
TEST(DebugText, WritesMetricsAsTheCollectorDoes) {
  const otlp::Batch batch = FromJson(otlp::Signal::kMetrics, kMetricsJson);
  EXPECT_EQ(NormalText(batch), kMetricsNormal);
  EXPECT_EQ(DetailedText(batch), kMetricsDetailed);
}

// Scenario: values within values, keys out of order and twice, and numbers in each form.
// Guarantees: JSON with keys in order, of which the last one counts; numbers as in JavaScript.
TEST(DebugText, WritesNestedValuesAsJson) {
  const otlp::Batch batch =
      FromJson(otlp::Signal::kLogs,
               R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"kvlistValue":{"values":[{"key":"b","value":)"
               R"({"arrayValue":{"values":[{"doubleValue":1e-7},{"boolValue":true},{},{"stringValue":"<\"\n>"}]}}},)"
               R"({"key":"a","value":{"intValue":1}},{"key":"a","value":{"doubleValue":1e21}}]}}}]}]}]})");
  EXPECT_EQ(NormalText(batch), "ResourceLog #0\nScopeLog #0\n{\"a\":1e+21,\"b\":[1e-7,true,null,\"<\\\"\\n>\"]} \n");
}

}  // namespace
}  // namespace spanloom::pipeline
