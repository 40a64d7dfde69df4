// SPDX-License-Identifier: Apache-2.0

#include "pipeline/own_views_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/yaml.h"
#include "pipeline/own_metrics_config.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

OwnMetricsOptions Read(std::string_view yaml, config::Problems& problems) {
  return config::ReadOptions<OwnMetricsOptions>(*config::ParseYaml(yaml, "f"), "metrics", problems);
}

std::string Refusal(std::string_view views) {
  config::Problems problems;
  Read("level: detailed\nviews:\n" + std::string(views), problems);
  return std::string(problems.ToStatus().message());
}

// Scenario: a view that drops a meter's metrics, and one that renames a metric and takes labels away.
// Guarantees: what is written.
TEST(OwnViewsConfig, IsWhatIsWritten) {
  config::Problems problems;
  const auto options = Read(R"(
level: detailed
views:
  - {selector: {meter_name: go.opentelemetry.io/*}, stream: {aggregation: {drop: {}}}}
  - selector: {instrument_name: otelcol_exporter_*, instrument_type: observable_gauge, unit: By}
    stream: {name: n, description: d, aggregation: {default: }, attribute_keys: {included: [a], excluded: [b]}}
)",
                            problems);
  ASSERT_TRUE(problems.empty()) << problems.ToStatus();
  const std::vector<MetricView> views = options.Views();
  ASSERT_EQ(views.size(), 2u);
  EXPECT_EQ(views[0].meter_pattern, "go.opentelemetry.io/*");
  EXPECT_TRUE(views[0].is_dropped);
  EXPECT_EQ(views[1].name_pattern, "otelcol_exporter_*");
  EXPECT_EQ(views[1].type, "gauge");
  EXPECT_EQ(views[1].unit, "By");
  EXPECT_FALSE(views[1].is_dropped);
  EXPECT_EQ(views[1].name, "n");
  EXPECT_EQ(views[1].help, "d");
  EXPECT_THAT(views[1].included, ElementsAre("a"));
  EXPECT_THAT(views[1].excluded, ElementsAre("b"));
}

// Scenario: views that name nothing or ask for what there is not, and views at another level.
// Guarantees: refused, the last one in the Collector's words.
TEST(OwnViewsConfig, RefusesWhatItCannotDo) {
  EXPECT_THAT(Refusal("  - {selector: {}, stream: {}}"), HasSubstr("must say which metrics"));
  EXPECT_THAT(Refusal("  - {selector: {instrument_type: timer}}"), HasSubstr("unknown instrument_type"));
  EXPECT_THAT(
      Refusal("  - {selector: {unit: s}, stream: {aggregation: {explicit_bucket_histogram: {boundaries: [1]}}}}"),
      HasSubstr("explicit_bucket_histogram is not supported"));
  config::Problems problems;
  Read("level: normal\nviews: [{selector: {unit: s}}]", problems);
  EXPECT_THAT(std::string(problems.ToStatus().message()),
              HasSubstr("service::telemetry::metrics::views can only be set when service::telemetry::metrics::level is "
                        "detailed"));
}

// Scenario: no views, at each level.
// Guarantees: only basic leaves something out.
TEST(OwnViewsConfig, LeaveOutWhatTheLevelDoes) {
  for (const std::string level : {"normal", "detailed", "Basic"}) {
    config::Problems problems;
    const OwnMetricsOptions options = Read("level: " + level, problems);
    EXPECT_EQ(options.Views().size(), level == "Basic" ? 1u : 0u) << level;
    EXPECT_EQ(options.IsDetailed(), level == "detailed");
  }
}

}  // namespace
}  // namespace spanloom::pipeline
