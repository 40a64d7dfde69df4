// SPDX-License-Identifier: Apache-2.0
//
// Requests of metrics and logs: checked, counted, cut and written as those of traces are.

#include "otlp/signal.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "otlp/batch.h"
#include "otlp/fields.h"
#include "otlp/json/transcode.h"
#include "otlp/json/write.h"
#include "otlp/request.h"
#include "otlp/validate.h"
#include "otlp/wire/cursor.h"
#include "otlp/wire/writer.h"

namespace spanloom::otlp {
namespace {

using wire::Cursor;

constexpr std::string_view kMetricsJson = R"({"resourceMetrics": [{
  "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "vllm"}}]},
  "scopeMetrics": [{"scope": {"name": "s"}, "metrics": [
    {"name": "requests", "sum": {"isMonotonic": true, "aggregationTemporality": "AGGREGATION_TEMPORALITY_CUMULATIVE",
      "dataPoints": [{"asInt": "-5", "timeUnixNano": "1"}, {"asDouble": 1.5}, {"asInt": 7}]}},
    {"name": "latency", "histogram": {"dataPoints": [
      {"count": 3, "sum": 1.5, "bucketCounts": ["1", 2], "explicitBounds": [0.1],
       "exemplars": [{"asDouble": 1, "traceId": "0102030405060708090a0b0c0d0e0f10"}]}]}},
    {"name": "wide", "exponentialHistogram": {"dataPoints": [
      {"scale": -1, "positive": {"offset": -3, "bucketCounts": ["300", 1]}}]}},
    {"name": "none", "gauge": {}}]}]}]})";

constexpr std::string_view kLogsJson = R"({"resourceLogs": [{"scopeLogs": [{"logRecords": [
  {"severityNumber": "SEVERITY_NUMBER_WARN", "body": {"stringValue": "one"}, "spanId": "0102030405060708"},
  {"body": {"stringValue": "two"}},
  {"body": {"kvlistValue": {"values": [{"key": "k", "value": {"intValue": 3}}]}}}]}]}]})";

Slice FromJson(Signal signal, std::string_view json) {
  StatusOr<std::string> wire = TranscodeJson(signal, json);
  EXPECT_TRUE(wire.ok()) << wire.status();
  StatusOr<Slice> slice = ReadRequest(signal, Bytes(*std::move(wire)));
  EXPECT_TRUE(slice.ok()) << slice.status();
  return *std::move(slice);
}

std::string Written(const Slice& slice) {
  std::string out;
  slice.AppendTo(out);
  return out;
}

// The contents of field `field` of each of `messages`.
std::vector<std::string_view> Fields(const std::vector<std::string_view>& messages, uint32_t field) {
  std::vector<std::string_view> found;
  for (const std::string_view message : messages) {
    for (Cursor cursor(message); cursor.Next();) {
      if (cursor.field() == field) found.push_back(cursor.bytes());
    }
  }
  return found;
}

// Metrics or log records.
std::vector<std::string_view> Items(std::string_view request) {
  return Fields(Fields(Fields({request}, 1), 2), 2);
}

TEST(Signal, CountsDataPointsAndLogRecords) {
  EXPECT_EQ(FromJson(Signal::kMetrics, kMetricsJson).span_count(), 5u);
  EXPECT_EQ(FromJson(Signal::kLogs, kLogsJson).span_count(), 3u);
}

TEST(Signal, JsonNumbersOfMetricsBecomeTheirWireForms) {
  const Slice slice = FromJson(Signal::kMetrics, kMetricsJson);
  const auto metrics = Items(slice.wire().view());
  ASSERT_EQ(metrics.size(), 4u);
  const auto points = Fields(Fields({metrics[0]}, field::Metric::kSum), field::MetricData::kDataPoints);
  ASSERT_EQ(points.size(), 3u);
  std::string point;
  wire::Writer writer(point);
  writer.Fixed64(field::NumberDataPoint::kAsInt, static_cast<uint64_t>(-5));
  writer.Fixed64(field::NumberDataPoint::kTime, 1);
  EXPECT_EQ(points[0], point);

  const auto histogram = Fields(Fields({metrics[1]}, field::Metric::kHistogram), field::MetricData::kDataPoints);
  EXPECT_EQ(Fields(histogram, field::HistogramDataPoint::kBucketCounts),
            std::vector{std::string_view("\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0", 16)});
  const auto wide = Fields(Fields({metrics[2]}, field::Metric::kExponentialHistogram), field::MetricData::kDataPoints);
  const auto buckets = Fields(wide, field::ExponentialHistogramDataPoint::kPositive);
  EXPECT_EQ(buckets, std::vector{std::string_view("\x08\x05\x12\x03\xac\x02\x01")});  // zigzag(-3) = 5; 300, 1
}

TEST(Signal, CutsInsideAMetric) {
  Slice rest = FromJson(Signal::kMetrics, kMetricsJson);
  const std::string whole = Written(rest);
  const Slice front = rest.TakeFront(2);
  EXPECT_EQ(front.span_count(), 2u);
  EXPECT_EQ(rest.span_count(), 3u);
  const std::string front_bytes = Written(front);
  const std::string rest_bytes = Written(rest);
  ASSERT_EQ(Items(front_bytes).size(), 1u);
  ASSERT_EQ(Items(rest_bytes).size(), 3u);
  const auto sum_of = [](std::string_view metric) {
    return Fields(Fields({metric}, field::Metric::kSum), field::MetricData::kDataPoints);
  };
  const auto all = sum_of(Items(whole)[0]);
  EXPECT_EQ(sum_of(Items(front_bytes)[0]), (std::vector{all[0], all[1]}));
  EXPECT_EQ(sum_of(Items(rest_bytes)[0]), std::vector{all[2]});
  EXPECT_EQ(Items(rest_bytes)[1], Items(whole)[1]) << "a metric that is not cut is as it was";
  // What the points have in common stands in both.
  for (const std::string* part : {&front_bytes, &rest_bytes}) {
    EXPECT_EQ(Fields({Items(*part)[0]}, field::Metric::kName), std::vector{std::string_view("requests")});
    const auto stats = ValidateRequest(Signal::kMetrics, *part);
    ASSERT_TRUE(stats.ok()) << stats.status();
    EXPECT_EQ(stats->spans, part == &front_bytes ? 2u : 3u);
  }
}

TEST(Signal, CutsLogs) {
  Slice rest = FromJson(Signal::kLogs, kLogsJson);
  const std::string whole = Written(rest);
  const std::string front = Written(rest.TakeFront(1));
  EXPECT_EQ(Items(front), std::vector{Items(whole)[0]});
  const std::string rest_bytes = Written(rest);
  EXPECT_EQ(Items(rest_bytes), (std::vector{Items(whole)[1], Items(whole)[2]}));
}

TEST(Signal, WritesTheJsonThatItReads) {
  for (const auto& [signal, json] : {std::pair(Signal::kMetrics, kMetricsJson), {Signal::kLogs, kLogsJson}}) {
    const Slice slice = FromJson(signal, json);
    std::string out;
    WriteJson(Batch(slice), out);
    const Slice read = FromJson(signal, out);
    std::string again;
    WriteJson(Batch(read), again);
    EXPECT_EQ(again, out);
  }
}

TEST(Signal, WritesAMeasuredZero) {
  const std::string_view json = R"({"resourceMetrics":[{"resource":{},"scopeMetrics":[{"scope":{},)"
                                R"("metrics":[{"gauge":{"dataPoints":[{"asDouble":0},{"asInt":"0"}]}}]}]}]})";
  std::string out;
  WriteJson(Batch(FromJson(Signal::kMetrics, json)), out);
  EXPECT_EQ(out, json);
}

TEST(Signal, RefusesWhatIsMalformedByItsPath) {
  std::string wire = std::string(FromJson(Signal::kLogs, kLogsJson).wire().view());
  wire.resize(wire.size() - 1);
  const auto cut = ReadRequest(Signal::kLogs, Bytes(wire));
  EXPECT_EQ(cut.status().code(), absl::StatusCode::kInvalidArgument);

  const auto json = TranscodeJson(Signal::kMetrics, R"({"resourceMetrics": [{"scopeMetrics": [{"metrics": [
      {"name": "m", "sum": {"dataPoints": [{"asInt": "x"}]}}]}]}]})");
  EXPECT_EQ(
      json.status().message(),
      "OTLP/JSON request: resourceMetrics[0].scopeMetrics[0].metrics[0].sum.dataPoints[0].asInt: expected a 64-bit "
      "integer, found \"x\"");
}

TEST(Signal, SpansAreNotMetrics) {
  // An ExportTraceServiceRequest has other types where metrics have theirs.
  const StatusOr<std::string> spans = TranscodeTracesJson(R"({"resourceSpans": [{"scopeSpans": [{"spans": [
      {"name": "s", "startTimeUnixNano": "5", "endTimeUnixNano": "7"}]}]}]})");
  ASSERT_TRUE(spans.ok());
  const auto read = ReadRequest(Signal::kMetrics, Bytes(*spans));
  ASSERT_FALSE(read.ok());
  EXPECT_NE(read.status().message().find("resource_metrics[0].scope_metrics[0].metrics[0]"), std::string::npos)
      << read.status();
}

}  // namespace
}  // namespace spanloom::otlp
