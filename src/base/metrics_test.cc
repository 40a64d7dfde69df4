// SPDX-License-Identifier: Apache-2.0

#include "base/metrics.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace spanloom {
namespace {

// Scenario: two label sets of one counter, a gauge, and a label value that needs escaping.
// Guarantees: Prometheus text with one HELP and TYPE a family, sorted by name.
TEST(MetricRegistry, RendersPrometheusText) {
  MetricRegistry registry;
  registry.GetCounter("b_total", "Things.", {{"cause", "a\"b"}}).Add(2);
  registry.GetCounter("b_total", "Things.", {{"cause", "c"}}).Add(1);
  const ScopedGauge gauge = registry.AddGauge("a", "Now.", {}, [] { return 1.5; });
  EXPECT_EQ(registry.Render(),
            "# HELP a Now.\n# TYPE a gauge\na 1.5\n"
            "# HELP b_total Things.\n# TYPE b_total counter\nb_total{cause=\"a\\\"b\"} 2\nb_total{cause=\"c\"} 1\n");
}

// Scenario: durations below, at, between and above the bounds. Guarantees: Prometheus' series of a histogram.
TEST(MetricRegistry, RendersHistograms) {
  MetricRegistry registry;
  for (const int64_t ms : {0, 1, 2, 50, 700}) {
    registry.GetHistogram("h_seconds", "Time.", {0.001, 0.05}, {{"a", "b"}}).AddNs(ms * 1'000'000);
  }
  EXPECT_EQ(registry.Render(),
            "# HELP h_seconds Time.\n# TYPE h_seconds histogram\n"
            "h_seconds_bucket{a=\"b\",le=\"0.001\"} 2\nh_seconds_bucket{a=\"b\",le=\"0.05\"} 4\n"
            "h_seconds_bucket{a=\"b\",le=\"+Inf\"} 5\nh_seconds_sum{a=\"b\"} 0.753\nh_seconds_count{a=\"b\"} 5\n");
}

// Scenario: a page that wants suffixes and a label on everything; a counter that is read, with a unit.
// Guarantees: counters end in _total once, units stand before that, gauges have none; the label comes first.
TEST(MetricRegistry, NamesAsThePageWants) {
  MetricRegistry registry;
  registry.GetCounter("a", "A.", {{"k", "v"}}).Add(1);
  registry.GetCounter("b_total", "B.").Add(2);
  const ScopedGauge uptime = registry.AddReadCounter("up", "Up.", {}, [] { return 1.5; });
  const ScopedGauge memory = registry.AddGauge("memory", "M.", {}, [] { return 3; });
  registry.SetUnit("up", "seconds");
  registry.SetUnit("memory", "bytes");
  EXPECT_EQ(registry.Render({.has_type_suffix = true, .has_unit_suffix = true, .labels = {{"pod", "x"}}}),
            "# HELP a_total A.\n# TYPE a_total counter\na_total{pod=\"x\",k=\"v\"} 1\n"
            "# HELP b_total B.\n# TYPE b_total counter\nb_total{pod=\"x\"} 2\n"
            "# HELP memory_bytes M.\n# TYPE memory_bytes gauge\nmemory_bytes{pod=\"x\"} 3\n"
            "# HELP up_seconds_total Up.\n# TYPE up_seconds_total counter\nup_seconds_total{pod=\"x\"} 1.5\n");
}

// Scenario: the same counter asked for twice, and a sum over a part of the labels.
// Guarantees: one counter a label set; Sum adds those that contain the labels.
// Scenario: a page as Python writes it, with counters, a gauge and a histogram.
// Guarantees: to the byte what prometheus_client 0.26 makes of the same, but for the order of
// families, and of sum and count.
TEST(MetricRegistry, RendersAsPythonDoes) {
  MetricRegistry metrics;
  metrics.GetCounter("v:sent_total", "Sent.", {{"engine", "0"}}).Add(17'345'678);
  Histogram& times = metrics.GetHistogram("v:time_seconds", "Times.", {0.001, 1, 2.5, 1e6}, {});
  times.Add(0.00005);
  times.Add(1);
  const ScopedGauge held = metrics.AddGauge("v:held", "Held.", {}, [] { return -0.00001; });
  EXPECT_EQ(metrics.Render({.python_created_unix_s = 1'750'000'000.25}),
            "# HELP v:held Held.\n# TYPE v:held gauge\nv:held -1e-05\n"
            "# HELP v:sent_total Sent.\n# TYPE v:sent_total counter\nv:sent_total{engine=\"0\"} 1.7345678e+07\n"
            "# HELP v:sent_created Sent.\n# TYPE v:sent_created gauge\nv:sent_created{engine=\"0\"} 1.75000000025e+09\n"
            "# HELP v:time_seconds Times.\n# TYPE v:time_seconds histogram\n"
            "v:time_seconds_bucket{le=\"0.001\"} 1.0\nv:time_seconds_bucket{le=\"1.0\"} 2.0\n"
            "v:time_seconds_bucket{le=\"2.5\"} 2.0\nv:time_seconds_bucket{le=\"1e+06\"} 2.0\n"
            "v:time_seconds_bucket{le=\"+Inf\"} 2.0\nv:time_seconds_sum 1.00005\nv:time_seconds_count 2.0\n"
            "# HELP v:time_seconds_created Times.\n# TYPE v:time_seconds_created gauge\n"
            "v:time_seconds_created 1.75000000025e+09\n");
}

TEST(MetricRegistry, SumsOverMatchingLabels) {
  MetricRegistry registry;
  registry.GetCounter("n", "N.", {{"a", "1"}, {"b", "x"}}).Add(1);
  registry.GetCounter("n", "N.", {{"a", "1"}, {"b", "x"}}).Add(1);
  registry.GetCounter("n", "N.", {{"a", "1"}, {"b", "y"}}).Add(5);
  registry.GetCounter("n", "N.", {{"a", "2"}, {"b", "y"}}).Add(10);
  EXPECT_EQ(registry.Sum("n", {{"a", "1"}}), 7);
  EXPECT_EQ(registry.Sum("n"), 17);
  EXPECT_EQ(registry.Sum("absent"), 0);
}

TEST(MetricRegistry, RendersEveryDigit) {
  MetricRegistry registry;
  double value = 0;
  const ScopedGauge gauge = registry.AddGauge("held", "Held.", {}, [&] { return value; });
  for (const auto& [number, text] : std::vector<std::pair<double, std::string>>{
           {1'786'048, "1786048"}, {100'000, "100000"}, {-3, "-3"}, {0.1, "0.1"}, {1234567.25, "1234567.25"}}) {
    value = number;
    EXPECT_EQ(registry.Render(), "# HELP held Held.\n# TYPE held gauge\nheld " + text + "\n");
  }
}

// Scenario: an owner and its successor show a gauge of the same labels for a while.
// Guarantees: they add up, and each takes away its own.
TEST(MetricRegistry, GaugesOfOneLabelSetAddUp) {
  MetricRegistry registry;
  ScopedGauge first = registry.AddGauge("held", "Held.", {{"queue", "a"}}, [] { return 1.0; });
  {
    const ScopedGauge second = registry.AddGauge("held", "Held.", {{"queue", "a"}}, [] { return 2.0; });
    EXPECT_EQ(registry.SumGauges("held", {{"queue", "a"}}), 3);
    first = ScopedGauge();
    EXPECT_EQ(registry.SumGauges("held"), 2);
  }
  EXPECT_EQ(registry.Render(), "");
}

// Scenario: a counter, a gauge of two owners, a histogram, and a gauge that is gone.
// Guarantees: a snapshot has what the page has, as numbers, sorted by name.
TEST(Metrics, SnapshotSaysWhatThePageSays) {
  MetricRegistry metrics;
  metrics.GetCounter("b_sent", "Sent.", {{"exporter", "x"}}).Add(3);
  metrics.SetUnit("b_sent", "spans");
  Histogram& sizes = metrics.GetHistogram("c_size", "Sizes.", {1, 10}, {});
  sizes.Add(5);
  sizes.Add(50);
  const ScopedGauge one = metrics.AddGauge("a_held", "Held.", {}, [] { return 1.5; });
  const ScopedGauge two = metrics.AddGauge("a_held", "Held.", {}, [] { return 2.0; });
  {
    const ScopedGauge gone = metrics.AddGauge("d_gone", "Gone.", {}, [] { return 1.0; });
  }
  const std::vector<MetricSnapshot> snapshots = metrics.Snapshot();
  ASSERT_EQ(snapshots.size(), 3u);
  EXPECT_EQ(snapshots[0].name, "a_held");
  EXPECT_EQ(snapshots[0].type, "gauge");
  EXPECT_EQ(snapshots[0].series.at(0).value, 3.5);
  EXPECT_EQ(snapshots[1].type, "counter");
  EXPECT_EQ(snapshots[1].help, "Sent.");
  EXPECT_EQ(snapshots[1].unit, "spans");
  EXPECT_EQ(snapshots[1].series.at(0).value, 3);
  EXPECT_EQ(snapshots[1].series.at(0).labels, (MetricLabels{{"exporter", "x"}}));
  EXPECT_EQ(snapshots[2].type, "histogram");
  EXPECT_EQ(snapshots[2].series.at(0).counts, (std::vector<uint64_t>{0, 1, 1}));
  EXPECT_EQ(snapshots[2].series.at(0).sum, 55);
}

}  // namespace
}  // namespace spanloom
