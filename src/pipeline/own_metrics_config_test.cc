// SPDX-License-Identifier: Apache-2.0

#include "pipeline/own_metrics_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "config/yaml.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

OwnMetricsOptions Read(std::string_view yaml) {
  config::Problems problems;
  auto options = config::ReadOptions<OwnMetricsOptions>(*config::ParseYaml(yaml, "f"), "metrics", problems);
  EXPECT_THAT(problems.lines(), IsEmpty());
  return options;
}

std::vector<std::string> Problems(std::string_view yaml) {
  config::Problems problems;
  config::ReadOptions<OwnMetricsOptions>(*config::ParseYaml(yaml, "f"), "metrics", problems);
  return problems.lines();
}

// Scenario: nothing, level none in capitals, and an address of the old form.
// Guarantees: one page with the Collector's short names; none; one at that address.
TEST(OwnMetrics, ShowsOnePageUnlessToldOtherwise) {
  const std::vector<PrometheusReaderOptions> pages = Read("").Pages();
  ASSERT_THAT(pages, SizeIs(1));
  EXPECT_EQ(pages[0].Endpoint(), "");
  EXPECT_EQ(pages[0].port, 8888);
  EXPECT_TRUE(pages[0].without_type_suffix && pages[0].without_units && pages[0].without_scope_info);
  EXPECT_THAT(Read("level: None").Pages(), IsEmpty());
  EXPECT_EQ(Read("address: 0.0.0.0:9999").Pages()[0].Endpoint(), "0.0.0.0:9999");
}

// Scenario: the reader that the operator writes, with the long names that were its default once.
// Guarantees: a page there, with those names.
TEST(OwnMetrics, ReadsTheOperatorsReader) {
  const std::vector<PrometheusReaderOptions> pages = Read(R"(
level: detailed
readers:
  - pull:
      exporter:
        prometheus:
          host: 0.0.0.0
          port: 8888
          without_type_suffix: false
          without_units: false
          with_resource_constant_labels: {included: ["k8s.*"]}
)")
                                                         .Pages();
  ASSERT_THAT(pages, SizeIs(1));
  EXPECT_EQ(pages[0].Endpoint(), "0.0.0.0:8888");
  EXPECT_FALSE(pages[0].without_type_suffix || pages[0].without_units);
  EXPECT_TRUE(pages[0].with_resource_constant_labels->Takes("k8s.pod.name"));
  EXPECT_FALSE(pages[0].with_resource_constant_labels->Takes("service.name"));
}

// Scenario: a page, and two readers that push, one with everything and one to standard output; then level none.
// Guarantees: one page and both destinations, where the shorter timeout holds; none of them.
TEST(OwnMetrics, ReadsWhereTheyAreSent) {
  constexpr std::string_view kReaders = R"(
readers:
  - pull: {exporter: {prometheus: {port: 9999}}}
  - periodic:
      interval: 1000
      timeout: 500
      exporter:
        otlp: {protocol: http/protobuf, endpoint: "http://mimir:4318/otlp/v1/metrics", headers: {X-Scope: a},
               temporality_preference: delta, compression: gzip,
               default_histogram_aggregation: explicit_bucket_histogram}
  - periodic: {exporter: {console: }}
)";
  const OwnMetricsOptions options = Read(kReaders);
  EXPECT_THAT(options.Pages(), SizeIs(1));
  const std::vector<MetricsPush> pushes = options.Pushes();
  ASSERT_THAT(pushes, SizeIs(2));
  EXPECT_EQ(pushes[0].interval, std::chrono::seconds(1));
  EXPECT_TRUE(pushes[0].has_deltas);
  EXPECT_EQ(pushes[0].destination->signal, otlp::Signal::kMetrics);
  EXPECT_EQ(pushes[0].destination->endpoint, "mimir:4318");
  EXPECT_EQ(pushes[0].destination->path, "/otlp/v1/metrics");
  EXPECT_EQ(pushes[0].destination->timeout, std::chrono::milliseconds(500));
  EXPECT_EQ(pushes[1].interval, std::chrono::minutes(1));
  EXPECT_FALSE(pushes[1].destination.has_value());
  EXPECT_FALSE(pushes[1].has_deltas);
  EXPECT_THAT(Read(StrCat(kReaders, "level: none")).Pushes(), IsEmpty());
  EXPECT_THAT(Read("readers: [{periodic: {exporter: {console: }}}]").Pages(), IsEmpty());
}

// Scenario: readers that name no exporter, none, or two, and a level that is not there.
// Guarantees: each is refused with what is valid.
TEST(OwnMetrics, RefusesWhatItHasNot) {
  EXPECT_THAT(Problems("readers: [{periodic: {interval: 1000}}]"), ElementsAre(HasSubstr("valid: otlp, console")));
  EXPECT_THAT(Problems("readers: [{periodic: {exporter: {otlp: {endpoint: 'http://a:1', "
                       "temporality_preference: most}}}}]"),
              ElementsAre(HasSubstr("valid: cumulative, delta, lowmemory")));
  EXPECT_THAT(Problems("readers: [{pull: {exporter: {}}}]"), ElementsAre(HasSubstr("valid: prometheus")));
  EXPECT_THAT(Problems("readers: [{}]"), ElementsAre(HasSubstr("must be one reader of pull or periodic")));
  EXPECT_THAT(Problems("level: much"), ElementsAre(HasSubstr("valid: none, basic, normal, detailed")));
}

}  // namespace
}  // namespace spanloom::pipeline
