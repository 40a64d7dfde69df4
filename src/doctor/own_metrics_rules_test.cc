// SPDX-License-Identifier: Apache-2.0

#include "doctor/own_metrics_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/text.h"

namespace spanloom::doctor {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

std::vector<std::string> Found(std::string_view page) {
  Findings findings;
  CheckMetricsPage(page, "localhost:8888", findings);
  std::vector<std::string> found;
  for (const Finding& finding : findings.all()) {
    found.push_back(StrCat(finding.rule, " ", finding.what.substr(0, finding.what.find(" span"))));
  }
  return found;
}

// Scenario: the page of a collector in trouble, in the names of either version, with several series of a component.
// Guarantees: each trouble once for each component, summed up; what stands still is not spoken of.
TEST(MetricsPage, TellsTrouble) {
  EXPECT_THAT(Found("# HELP otelcol_exporter_send_failed_spans Number of spans\n"
                    "# TYPE otelcol_exporter_send_failed_spans counter\n"
                    "otelcol_exporter_send_failed_spans{exporter=\"otlp/jaeger\",error_type=\"a\"} 3\n"
                    "otelcol_exporter_send_failed_spans{exporter=\"otlp/jaeger\",error_type=\"b\"} 4\n"
                    "otelcol_exporter_send_failed_spans{exporter=\"otlp/tempo\"} 0\n"
                    "otelcol_receiver_refused_spans_total{receiver=\"otlp\",transport=\"grpc\"} 1e3 1700000000000\n"
                    "otelcol_processor_memory_limiter_refused_spans{processor=\"memory_limiter\"} 9\n"),
              ElementsAre("live-exporter-failing otlp/jaeger: 7", "live-receiver-refuses otlp: 1000",
                          "live-processor-refuses memory_limiter: 9"));
}

TEST(MetricsPage, CountsOneSpan) {
  Findings findings;
  CheckMetricsPage("otelcol_exporter_send_failed_spans{exporter=\"otlp\"} 1\n", "localhost:8888", findings);
  ASSERT_EQ(findings.all().size(), 1U);
  EXPECT_THAT(findings.all()[0].what, StartsWith("otlp: 1 span could not be sent"));
}

// Scenario: what a connector lost, and what a receiver refused, for two causes; what an exporter lost, which its own
// counter says.
// Guarantees: each cause has its finding, with what it counts.
TEST(MetricsPage, TellsCausesApart) {
  Findings findings;
  CheckMetricsPage(
      "spanloom_pipeline_dropped_spans{connector=\"routing\",cause=\"unrouted\"} 2\n"
      "spanloom_pipeline_dropped_spans{exporter=\"otlp\",cause=\"Unavailable\"} 5\n"
      "spanloom_receiver_refused_requests{receiver=\"otlp\",transport=\"grpc\",cause=\"unauthenticated\"} 3\n"
      "spanloom_receiver_refused_requests{receiver=\"otlp\",transport=\"http\",cause=\"unauthenticated\"} 4\n"
      "spanloom_receiver_refused_requests{receiver=\"otlp\",transport=\"http\",cause=\"malformed\"} 1\n",
      "localhost:8888", findings);
  std::vector<std::string> found;
  for (const Finding& finding : findings.all()) found.push_back(StrCat(finding.rule, " ", finding.what));
  EXPECT_THAT(found, ElementsAre(StartsWith("live-connector-loses routing, unrouted: 2 spans lost"),
                                 StartsWith("live-requests-refused otlp, malformed: 1 request refused"),
                                 StartsWith("live-requests-refused otlp, unauthenticated: 7 requests refused")));
}

TEST(MetricsPage, KnowsALabelFromTheEndOfALongerName) {
  EXPECT_THAT(Found("otelcol_exporter_send_failed_spans{first_exporter=\"a\",exporter=\"b\"} 3\n"),
              ElementsAre("live-exporter-failing b: 3"));
}

TEST(MetricsPage, IsWellOrNoPage) {
  EXPECT_THAT(Found("otelcol_exporter_sent_spans{exporter=\"otlp\"} 12\n"), IsEmpty());
  EXPECT_THAT(Found("<html>\nnothing of it {\n x\n"), IsEmpty());
}

}  // namespace
}  // namespace spanloom::doctor
