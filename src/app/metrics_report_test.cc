// SPDX-License-Identifier: Apache-2.0

#include "app/metrics_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "otlp/metrics_views.h"
#include "otlp/writer.h"

namespace spanloom::app {
namespace {

using testing::ElementsAre;

std::string Resource() {
  return otlp::EncodeResource([](otlp::AttributeWriter& writer) { writer.String("service.name", "edge"); });
}

// The metrics of a report by name; each must outlive `request`.
std::map<std::string, otlp::MetricView> MetricsOf(const std::string& request) {
  std::map<std::string, otlp::MetricView> metrics;
  for (const otlp::ResourceMetricsView resource : otlp::MetricsView(request).resource_metrics()) {
    EXPECT_EQ(resource.resource().service_name(), "edge");
    for (const otlp::ScopeMetricsView scope : resource.scope_metrics()) {
      for (const otlp::MetricView metric : scope.metrics()) metrics.emplace(metric.name(), metric);
    }
  }
  return metrics;
}

std::vector<double> NumbersOf(const otlp::MetricView& metric) {
  std::vector<double> numbers;
  for (const otlp::NumberPointView point : metric.number_points()) numbers.push_back(point.value());
  return numbers;
}

class MetricsReportTest : public testing::Test {
 protected:
  MetricsReportTest() {
    metrics_.SetUnit("sent", "bytes");
    sent_.Add(3);
    sizes_.Add(5);
  }

  MetricRegistry metrics_;
  Counter& sent_ = metrics_.GetCounter("sent", "Sent.", {{"exporter", "x"}});
  Histogram& sizes_ = metrics_.GetHistogram("sizes", "Sizes.", {1, 10});
  const ScopedGauge held_ = metrics_.AddGauge("held", "Held.", {}, [] { return 1.5; });
  const ScopedGauge info_ = metrics_.AddGauge("target_info", "Resource.", {{"a", "b"}}, [] { return 1.0; });
};

// Scenario: a counter, a histogram and a gauge, told twice.
// Guarantees: kinds, units, labels and values as OTLP has them; both reports say everything since the process began.
TEST_F(MetricsReportTest, SaysEverythingSoFar) {
  MetricsReporter reporter(Resource(), false, 100);
  MetricsReporter::Report report = reporter.Encode(metrics_.Snapshot(), 200);
  reporter.Delivered();
  sent_.Add(2);
  report = reporter.Encode(metrics_.Snapshot(), 300);
  EXPECT_EQ(report.points, 3u);
  const auto found = MetricsOf(report.request);
  ASSERT_EQ(found.size(), 3u);
  const otlp::MetricView& sent = found.at("sent");
  EXPECT_EQ(sent.kind(), otlp::MetricKind::kSum);
  EXPECT_TRUE(sent.is_monotonic());
  EXPECT_EQ(sent.temporality(), otlp::Temporality::kCumulative);
  EXPECT_EQ(sent.unit(), "By");
  EXPECT_EQ(sent.description(), "Sent.");
  const otlp::NumberPointView point = *sent.number_points().begin();
  EXPECT_TRUE(point.is_int());
  EXPECT_EQ(point.int_value(), 5);
  EXPECT_EQ(point.times().start_unix_ns, 100u);
  EXPECT_EQ(point.times().time_unix_ns, 300u);
  EXPECT_EQ((*point.attributes().begin()).key(), "exporter");
  EXPECT_EQ(found.at("held").kind(), otlp::MetricKind::kGauge);
  EXPECT_THAT(NumbersOf(found.at("held")), ElementsAre(1.5));
  const otlp::HistogramPointView sizes = *found.at("sizes").histogram_points().begin();
  EXPECT_THAT(sizes.bucket_counts(), ElementsAre(0, 1, 0));
  EXPECT_THAT(sizes.bounds(), ElementsAre(1, 10));
  EXPECT_EQ(sizes.count(), 1u);
  EXPECT_EQ(sizes.sum(), 5);
}

// Scenario: reports of deltas: one that is delivered, one that is not, one more; then nothing has happened.
// Guarantees: each says what came since the last one that was delivered, so that nothing is lost or told twice; gauges
// stay what they are.
TEST_F(MetricsReportTest, SaysWhatCameSinceTheLastDelivery) {
  MetricsReporter reporter(Resource(), true, 100);
  const auto report = [&](int64_t now) {
    static std::string request;
    request = reporter.Encode(metrics_.Snapshot(), now).request;
    return MetricsOf(request);
  };
  EXPECT_THAT(NumbersOf(report(200).at("sent")), ElementsAre(3));
  reporter.Delivered();
  sent_.Add(2);
  EXPECT_THAT(NumbersOf(report(300).at("sent")), ElementsAre(2));
  sent_.Add(4);
  sizes_.Add(50);
  const auto third = report(400);
  EXPECT_EQ(third.at("sent").temporality(), otlp::Temporality::kDelta);
  EXPECT_THAT(NumbersOf(third.at("sent")), ElementsAre(6));
  EXPECT_EQ((*third.at("sent").number_points().begin()).times().start_unix_ns, 200u);
  EXPECT_THAT((*third.at("sizes").histogram_points().begin()).bucket_counts(), ElementsAre(0, 0, 1));
  EXPECT_EQ((*third.at("sizes").histogram_points().begin()).sum(), 50);
  reporter.Delivered();
  const auto fourth = report(500);
  EXPECT_THAT(NumbersOf(fourth.at("sent")), ElementsAre(0));
  EXPECT_THAT(NumbersOf(fourth.at("held")), ElementsAre(1.5));
}

// Scenario: a counter that somebody else counts, who is replaced by one that begins at nothing.
// Guarantees: the delta is what the new one counted, never less than nothing.
TEST(MetricsReport, FollowsACounterThatBeginsAnew) {
  MetricsReporter reporter(Resource(), true, 0);
  const auto sum_of = [&](double value) {
    const MetricSnapshot metric{.name = "cpu", .type = "counter", .series = {{.value = value}}};
    const std::string request = reporter.Encode({metric}, 1).request;
    reporter.Delivered();
    return NumbersOf(MetricsOf(request).at("cpu")).at(0);
  };
  EXPECT_EQ(sum_of(2.5), 2.5);
  EXPECT_EQ(sum_of(4), 1.5);
  EXPECT_EQ(sum_of(0.5), 0.5);
}

}  // namespace
}  // namespace spanloom::app
