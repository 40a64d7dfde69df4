// SPDX-License-Identifier: Apache-2.0

#include "base/metric_views.h"

#include <gtest/gtest.h>

namespace spanloom {
namespace {

class MetricViewsTest : public testing::Test {
 protected:
  MetricViewsTest() {
    metrics_.GetCounter("otelcol_exporter_sent_spans", "Sent.", {{"exporter", "a"}, {"server_address", "x"}}).Add(1);
    metrics_.GetCounter("otelcol_exporter_sent_spans", "Sent.", {{"exporter", "a"}, {"server_address", "y"}}).Add(2);
    metrics_.GetHistogram("rpc_server_call_duration", "Calls.", {1, 2}, {{"rpc_method", "m"}}).Add(1.5);
    metrics_.GetHistogram("rpc_server_call_duration", "Calls.", {1, 2}, {{"rpc_method", "n"}}).Add(3);
  }

  std::string Page(const std::vector<MetricView>& views) {
    return RenderMetrics(ApplyViews(metrics_.Snapshot(), views), {});
  }

  MetricRegistry metrics_;
  const std::string calls_ =
      "# HELP rpc_server_call_duration Calls.\n# TYPE rpc_server_call_duration histogram\n"
      "rpc_server_call_duration_bucket{le=\"1\"} 0\nrpc_server_call_duration_bucket{le=\"2\"} 1\n"
      "rpc_server_call_duration_bucket{le=\"+Inf\"} 2\nrpc_server_call_duration_sum 4.5\n"
      "rpc_server_call_duration_count 2\n";
};

// Scenario: no view; one that drops a metric by a pattern of its name, one by its meter, one by its type.
// Guarantees: what no view names is shown as it is.
TEST_F(MetricViewsTest, DropWhatTheyName) {
  EXPECT_EQ(Page({}), metrics_.Render());
  EXPECT_EQ(Page({{.name_pattern = "otelcol_*", .is_dropped = true}, {.type = "histogram", .is_dropped = true}}), "");
  EXPECT_EQ(Page({{.meter_pattern = "go.opentelemetry.io/collector/*", .is_dropped = true},
                  {.meter_pattern = "*otelgrpc", .is_dropped = true}}),
            "");
  EXPECT_EQ(
      Page({{.name_pattern = "otelcol_exporter_sent_span", .is_dropped = true}, {.unit = "s", .is_dropped = true}}),
      metrics_.Render());
}

// Scenario: labels are taken away, by the name of the attribute and by that of the label; all but one are.
// Guarantees: series that become the same are added up, bucket by bucket.
TEST_F(MetricViewsTest, TakeLabelsAway) {
  const std::string sent = "# HELP otelcol_exporter_sent_spans Sent.\n# TYPE otelcol_exporter_sent_spans counter\n";
  EXPECT_EQ(Page({{.excluded = {"server.address", "rpc_method"}}}),
            sent + "otelcol_exporter_sent_spans{exporter=\"a\"} 3\n" + calls_);
  EXPECT_EQ(
      Page({{.name_pattern = "otelcol*", .included = {"server.address"}}, {.type = "histogram", .included = {"z"}}}),
      sent +
          "otelcol_exporter_sent_spans{server_address=\"x\"} 1\n"
          "otelcol_exporter_sent_spans{server_address=\"y\"} 2\n" +
          calls_);
}

// Scenario: two views of a metric, the second with a name of its own; one that drops it stands between them.
// Guarantees: both are shown; a third one of the same name is not.
TEST_F(MetricViewsTest, ShowOneForEachView) {
  const MetricView drop_calls{.name_pattern = "rpc_*", .is_dropped = true};
  const MetricView all{.name_pattern = "otelcol_exporter_sent_spans", .excluded = {"server_address"}};
  MetricView other = all;
  other.name = "sent";
  other.help = "Again.";
  EXPECT_EQ(Page({drop_calls, all, other, other}),
            "# HELP otelcol_exporter_sent_spans Sent.\n# TYPE otelcol_exporter_sent_spans counter\n"
            "otelcol_exporter_sent_spans{exporter=\"a\"} 3\n"
            "# HELP sent Again.\n# TYPE sent counter\nsent{exporter=\"a\"} 3\n");
}

}  // namespace
}  // namespace spanloom
