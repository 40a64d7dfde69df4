// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/prometheus_names.h"

#include <gtest/gtest.h>

namespace spanloom::pipeline {
namespace {

std::string Name(std::string_view name, std::string_view unit = "", PrometheusKind kind = PrometheusKind::kOther) {
  return PrometheusMetricName(name, unit, kind, "", true);
}

// Scenario: names and units of OTLP, among them those that span_metrics makes.
// Guarantees: unit and type are at the end, once, in Prometheus' words.
TEST(PrometheusNames, EndInUnitAndType) {
  EXPECT_EQ(Name("traces.span.metrics.calls", "", PrometheusKind::kCounter), "traces_span_metrics_calls_total");
  EXPECT_EQ(Name("traces.span.metrics.duration", "ms"), "traces_span_metrics_duration_milliseconds");
  EXPECT_EQ(Name("total.bytes", "By", PrometheusKind::kCounter), "bytes_total");
  EXPECT_EQ(Name("network.io", "By/s", PrometheusKind::kGauge), "network_io_bytes_per_second");
  EXPECT_EQ(Name("load", "1", PrometheusKind::kGauge), "load_ratio");
  EXPECT_EQ(Name("load", "1", PrometheusKind::kCounter), "load_total");
  EXPECT_EQ(Name("requests", "{request}", PrometheusKind::kCounter), "requests_total");
  EXPECT_EQ(Name("traces_service_graph_request_total", "", PrometheusKind::kCounter),
            "traces_service_graph_request_total");
  EXPECT_EQ(Name("odd", "foo/bar baz"), "odd_foo_per_bar_baz");
}

// Scenario: characters that no name has.
// Guarantees: they separate words; a digit does not come first; of nothing nothing is made.
TEST(PrometheusNames, HaveLettersDigitsAndUnderscores) {
  EXPECT_EQ(Name("a..b--c__d"), "a_b_c_d");
  EXPECT_EQ(Name("2xx"), "_2xx");
  EXPECT_EQ(Name("\xc3\xa4"), "");
  EXPECT_EQ(PrometheusMetricName("a.b", "s", PrometheusKind::kCounter, "my-space", true), "my_space_a_b_seconds_total");
  EXPECT_EQ(PrometheusMetricName("a.b__c", "s", PrometheusKind::kCounter, "", false), "a_b__c");
  EXPECT_EQ(PrometheusLabelName("http.method"), "http_method");
  EXPECT_EQ(PrometheusLabelName("9lives"), "key_9lives");
  EXPECT_EQ(PrometheusLabelName("_hidden"), "key_hidden");
  EXPECT_EQ(PrometheusLabelName("__name"), "__name");
}

}  // namespace
}  // namespace spanloom::pipeline
