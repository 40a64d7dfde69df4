// SPDX-License-Identifier: Apache-2.0

#include "otlp/metrics_views.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "otlp/batch.h"
#include "otlp/json/transcode.h"
#include "otlp/metrics_writer.h"

namespace spanloom::otlp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

template <typename View>
auto Only(const View& repeated) {
  EXPECT_EQ(repeated.Count(), 1u);
  return *repeated.begin();
}

MetricView OnlyMetric(std::string_view request) {
  return Only(Only(Only(MetricsView(request).resource_metrics()).scope_metrics()).metrics());
}

// `metric` in JSON, as a request in wire form.
std::string RequestOf(const std::string& metric) {
  const auto request =
      TranscodeJson(Signal::kMetrics, R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[)" + metric + R"(]}]}]})");
  EXPECT_TRUE(request.ok());
  return *request;
}

void WriteRoute(AttributeWriter& writer) {
  writer.String("http.route", "/cart");
}

// Scenario: a counter with an exemplar is written.
// Guarantees: it reads back with resource, scope, times, value and exemplar.
TEST(MetricsViews, ReadWhatTheWriterWrote) {
  std::string wire;
  MetricsWriter writer(wire);
  writer.BeginResource(EncodeResource([](AttributeWriter& w) { w.String("service.name", "shop"); }));
  writer.BeginScope(EncodeScope({.name = "maker"}));
  writer.BeginMetric({.name = "calls",
                      .unit = "1",
                      .kind = MetricKind::kSum,
                      .temporality = Temporality::kDelta,
                      .is_monotonic = true});
  ExemplarFields exemplar{.value = 1.5};
  exemplar.trace_id.bytes.fill(7);
  writer.AddSum({.start_unix_ns = 1, .time_unix_ns = 2}, 5, WriteRoute, std::vector{exemplar});
  writer.End();
  EXPECT_EQ(writer.point_count(), 1u);

  const ResourceMetricsView resource = Only(MetricsView(wire).resource_metrics());
  EXPECT_EQ(resource.resource().service_name(), "shop");
  EXPECT_EQ(Only(resource.scope_metrics()).scope().name(), "maker");
  const MetricView metric = OnlyMetric(wire);
  EXPECT_EQ(metric.name(), "calls");
  EXPECT_EQ(metric.unit(), "1");
  EXPECT_EQ(metric.kind(), MetricKind::kSum);
  EXPECT_EQ(metric.temporality(), Temporality::kDelta);
  EXPECT_TRUE(metric.is_monotonic());
  const NumberPointView point = Only(metric.number_points());
  EXPECT_EQ(point.times().start_unix_ns, 1u);
  EXPECT_EQ(point.times().time_unix_ns, 2u);
  EXPECT_TRUE(point.is_int());
  EXPECT_EQ(point.int_value(), 5);
  EXPECT_EQ(Only(point.attributes()).key(), "http.route");
  EXPECT_EQ(Only(point.exemplars()).value(), 1.5);
  EXPECT_EQ(Only(point.exemplars()).trace_id(), exemplar.trace_id);
}

// Scenario: histograms of both kinds are written.
// Guarantees: buckets, bounds, scale and offset read back, negative ones too.
TEST(MetricsViews, ReadHistograms) {
  std::string wire;
  MetricsWriter writer(wire);
  writer.BeginResource("");
  writer.BeginScope("");
  const std::vector<double> bounds = {0.5, 2};
  const std::vector<uint64_t> counts = {1, 0, 3};
  writer.BeginMetric({.name = "h", .kind = MetricKind::kHistogram, .temporality = Temporality::kCumulative});
  writer.AddHistogram({.start_unix_ns = 1, .time_unix_ns = 2},
                      {.count = 4, .sum = 9.5, .bounds = bounds, .bucket_counts = counts}, WriteRoute);
  writer.BeginMetric({.name = "e", .kind = MetricKind::kExponentialHistogram, .temporality = Temporality::kDelta});
  writer.AddExponential(
      {.start_unix_ns = 1, .time_unix_ns = 2},
      {.count = 5, .sum = 3, .scale = -2, .zero_count = 1, .positive_offset = -7, .positive_counts = counts},
      WriteRoute);
  writer.End();

  const auto metrics = Only(Only(MetricsView(wire).resource_metrics()).scope_metrics()).metrics();
  ASSERT_EQ(metrics.Count(), 2u);
  auto next = metrics.begin();
  const HistogramPointView histogram = Only((*next).histogram_points());
  EXPECT_EQ(histogram.count(), 4u);
  EXPECT_EQ(histogram.sum(), 9.5);
  EXPECT_EQ(histogram.bounds(), bounds);
  EXPECT_EQ(histogram.bucket_counts(), counts);
  const ExponentialPointView exponential = Only((*++next).exponential_points());
  EXPECT_EQ(exponential.scale(), -2);
  EXPECT_EQ(exponential.zero_count(), 1u);
  EXPECT_EQ(exponential.positive(), (ExponentialBuckets{-7, counts}));
  EXPECT_THAT(exponential.negative().counts, IsEmpty());
}

// Scenario: a sender's gauge, summary, and a point that ends its series.
// Guarantees: values, quantiles and flags are read.
TEST(MetricsViews, ReadGaugesAndSummaries) {
  const std::string gauge = RequestOf(
      R"({"name":"g","description":"d","gauge":{"dataPoints":[{"timeUnixNano":"5","asDouble":2.5},{"flags":1}]}})");
  std::vector<double> values;
  std::vector<uint32_t> flags;
  for (const NumberPointView point : OnlyMetric(gauge).number_points()) {
    values.push_back(point.value());
    flags.push_back(point.times().flags);
  }
  EXPECT_EQ(OnlyMetric(gauge).kind(), MetricKind::kGauge);
  EXPECT_EQ(OnlyMetric(gauge).description(), "d");
  EXPECT_THAT(values, ElementsAre(2.5, 0));
  EXPECT_THAT(flags, ElementsAre(0, kNoRecordedValue));

  const std::string summary = RequestOf(
      R"({"name":"s","summary":{"dataPoints":[{"count":"4","sum":8,"quantileValues":[{"quantile":0.5,"value":2}]}]}})");
  const SummaryPointView point = Only(OnlyMetric(summary).summary_points());
  EXPECT_EQ(point.count(), 4u);
  EXPECT_EQ(point.sum(), 8);
  EXPECT_EQ(Only(point.quantiles()).quantile(), 0.5);
  EXPECT_EQ(Only(point.quantiles()).value(), 2);
}

// Scenario: a metric of a kind that is not known, and an empty one.
// Guarantees: it has no kind; nothing is read past its end.
TEST(MetricsViews, SkipWhatTheyDoNotKnow) {
  const std::string wire("\x0a\x01m\x9a\x01\x02\x08\x01", 8);  // name "m", field 19
  EXPECT_EQ(MetricView(wire).name(), "m");
  EXPECT_EQ(MetricView(wire).kind(), MetricKind::kNone);
  EXPECT_EQ(MetricView("").number_points().Count(), 0u);
}

}  // namespace
}  // namespace spanloom::otlp
