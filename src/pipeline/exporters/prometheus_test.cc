// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/prometheus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "config/yaml.h"
#include "net/compression.h"
#include "otlp/json/transcode.h"
#include "pipeline/testing/blocking_client.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr char kResource[] =
    R"({"attributes":[{"key":"service.name","value":{"stringValue":"shop"}},)"
    R"({"key":"service.instance.id","value":{"stringValue":"i-1"}},{"key":"host.name","value":{"stringValue":"h"}}]})";

// A request of `metrics`, a JSON list without its brackets.
std::string RequestOf(const std::string& metrics, const std::string& resource = "{}") {
  const auto wire = otlp::TranscodeJson(
      otlp::Signal::kMetrics, R"({"resourceMetrics":[{"resource":)" + resource +
                                  R"(,"scopeMetrics":[{"scope":{"name":"sc"},"metrics":[)" + metrics + "]}]}]}");
  CHECK(wire.ok());
  return *wire;
}

std::string Counter(const std::string& value, int start, int time, int temporality) {
  return StrCat(R"({"name":"hits","sum":{"isMonotonic":true,"aggregationTemporality":)", temporality,
                R"(,"dataPoints":[{"startTimeUnixNano":")", start, R"(","timeUnixNano":")", time, R"(","asInt":")",
                value, R"("}]}})");
}

class PrometheusPageTest : public testing::Test {
 protected:
  PrometheusPage::Refused Add(const std::string& metrics, const std::string& resource = "{}") {
    return page_.Add(otlp::MetricsView(RequestOf(metrics, resource)));
  }
  std::string Text() { return page_.Render(false); }

  SimClock clock_;
  PrometheusPage page_{{.has_scope = false, .series_max = 6}, clock_};
};

// Scenario: a gauge, a histogram, a summary and an exponential histogram.
// Guarantees: the page of Prometheus' text format, families by name.
TEST_F(PrometheusPageTest, ShowsEveryKind) {
  Add(R"({"name":"g","description":"a \"b\"\n\\","unit":"s","gauge":{"dataPoints":[{"asDouble":2.5,
      "attributes":[{"key":"a.b","value":{"stringValue":"x\"y\n"}}]}]}},
      {"name":"h","histogram":{"aggregationTemporality":2,"dataPoints":[
        {"count":"4","sum":9,"explicitBounds":[1,2],"bucketCounts":["1","0","3"]}]}},
      {"name":"q","summary":{"dataPoints":[{"count":"2","sum":3,"quantileValues":[{"quantile":0.5,"value":1.5}]}]}},
      {"name":"e","exponentialHistogram":{"aggregationTemporality":2,"dataPoints":[{"count":"7","sum":8}]}})");
  EXPECT_EQ(Text(),
            "# HELP e \n# TYPE e histogram\ne_bucket{le=\"+Inf\"} 7\ne_sum 8\ne_count 7\n"
            "# HELP g_seconds a \"b\"\\n\\\\\n# TYPE g_seconds gauge\ng_seconds{a_b=\"x\\\"y\\n\"} 2.5\n"
            "# HELP h \n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"2\"} 1\nh_bucket{le=\"+Inf\"} 4\n"
            "h_sum 9\nh_count 4\n"
            "# HELP q \n# TYPE q summary\nq{quantile=\"0.5\"} 1.5\nq_sum 3\nq_count 2\n");
}

// Scenario: a resource with a name and an instance.
// Guarantees: job and instance are labels; target_info has the rest.
TEST_F(PrometheusPageTest, SaysWhereSeriesComeFrom) {
  Add(Counter("5", 1, 2, 2), kResource);
  EXPECT_EQ(Text(),
            "# HELP hits_total \n# TYPE hits_total counter\nhits_total{instance=\"i-1\",job=\"shop\"} 5\n"
            "# HELP target_info Target metadata\n# TYPE target_info gauge\n"
            "target_info{host_name=\"h\",instance=\"i-1\",job=\"shop\"} 1\n");
}

// Scenario: numbers beside those where their form changes; labels that are no texts.
// Guarantees: both are written as the Collector's page has them.
TEST_F(PrometheusPageTest, WritesNumbersAndLabelsAsTheCollector) {
  const auto shown = [this](const std::string& value) {
    Add(StrCat(R"({"name":"v","gauge":{"dataPoints":[{"asDouble":)", value, "}]}}"));
    const std::string text = Text();
    return text.substr(text.rfind("v ") + 2);
  };
  EXPECT_EQ(shown("100000"), "100000\n");
  EXPECT_EQ(shown("1000000"), "1e+06\n");
  EXPECT_EQ(shown("123456789"), "1.23456789e+08\n");
  EXPECT_EQ(shown("0.0001"), "0.0001\n");
  EXPECT_EQ(shown("0.00001"), "1e-05\n");
  Add(R"({"name":"l","gauge":{"dataPoints":[{"asInt":"1","attributes":[
      {"key":"b","value":{"bytesValue":"aGk="}},{"key":"m","value":{"kvlistValue":{"values":[
      {"key":"z","value":{"intValue":"1"}},{"key":"a","value":{"doubleValue":1e20}}]}}}]}]}})");
  EXPECT_THAT(Text(), HasSubstr(R"(l{b="aGk=",m="{\"a\":100000000000000000000,\"z\":1}"} 1)"));
}

// Scenario: counts by interval: one that begins where the last ended, one that does not; a late point.
// Guarantees: the first is added, the second begins anew, the third is left out.
TEST_F(PrometheusPageTest, AddsUpIntervals) {
  Add(Counter("5", 1, 2, 1));
  Add(Counter("3", 2, 4, 1));
  EXPECT_THAT(Text(), HasSubstr("hits_total 8\n"));
  Add(Counter("1", 5, 6, 1));
  EXPECT_THAT(Text(), HasSubstr("hits_total 1\n"));
  Add(Counter("100", 1, 3, 2));
  EXPECT_THAT(Text(), HasSubstr("hits_total 1\n"));
}

// Scenario: histograms by interval, the last with other bounds.
// Guarantees: buckets, count and sum are added as long as the bounds are the same.
TEST_F(PrometheusPageTest, AddsUpHistograms) {
  const auto histogram = [](int start, int time, const std::string& bound) {
    return StrCat(R"({"name":"h","histogram":{"aggregationTemporality":1,"dataPoints":[{"startTimeUnixNano":")", start,
                  R"(","timeUnixNano":")", time, R"(","count":"3","sum":4,"explicitBounds":[)", bound,
                  R"(],"bucketCounts":["1","2"]}]}})");
  };
  Add(histogram(1, 2, "1"));
  Add(histogram(2, 3, "1"));
  EXPECT_THAT(Text(), HasSubstr("h_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 6\nh_sum 8\nh_count 6\n"));
  Add(histogram(3, 4, "5"));
  EXPECT_THAT(Text(), HasSubstr("h_bucket{le=\"5\"} 1\nh_bucket{le=\"+Inf\"} 3\nh_sum 4\nh_count 3\n"));
}

// Scenario: sums that Prometheus cannot have, a name of two types, more series than may be shown.
// Guarantees: each is refused and counted as what it is; the rest stays.
TEST_F(PrometheusPageTest, RefusesWhatItCannotShow) {
  EXPECT_EQ(Add(R"({"name":"s","sum":{"aggregationTemporality":1,"dataPoints":[{"asInt":"1"}]}})").unsupported, 1u);
  EXPECT_EQ(Add(R"({"name":"s","sum":{"isMonotonic":true,"dataPoints":[{"asInt":"1"}]}})").unsupported, 1u);
  EXPECT_EQ(Add(R"({"name":"x","gauge":{"dataPoints":[{"asInt":"1"}]}})").conflicting, 0u);
  EXPECT_EQ(Add(R"({"name":"x","summary":{"dataPoints":[{"count":"1"}]}})").conflicting, 1u);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(Add(StrCat(R"({"name":"g)", i, R"(","gauge":{"dataPoints":[{"asInt":"1"}]}})")).too_many, 0u);
  }
  EXPECT_EQ(Add(R"({"name":"more","gauge":{"dataPoints":[{"asInt":"1"}]}})").too_many, 1u);
  EXPECT_EQ(page_.series_count(), 6u);
}

// Scenario: a series falls silent; another says that it has ended.
// Guarantees: neither is shown any more.
TEST_F(PrometheusPageTest, ForgetsSilentSeries) {
  Add(R"({"name":"a","gauge":{"dataPoints":[{"asInt":"1"}]}},{"name":"b","gauge":{"dataPoints":[{"asInt":"1"}]}})");
  Add(R"({"name":"b","gauge":{"dataPoints":[{"flags":1}]}})");
  EXPECT_THAT(Text(), Not(HasSubstr("b 1")));
  clock_.Advance(std::chrono::nanoseconds(5min).count());
  EXPECT_THAT(Text(), HasSubstr("a 1"));
  clock_.Advance(1);
  EXPECT_EQ(Text(), "");
  EXPECT_EQ(page_.series_count(), 0u);
}

// Scenario: a label that is not UTF-8, and two names that become one.
// Guarantees: the page is UTF-8; values of one label are joined.
TEST_F(PrometheusPageTest, StandsOddLabels) {
  std::string wire = RequestOf(
      R"({"name":"g","gauge":{"dataPoints":[{"asInt":"1","attributes":[{"key":"a.b","value":{"stringValue":"x?"}},
      {"key":"a_b","value":{"stringValue":"y"}}]}]}})");
  wire[wire.find("x?") + 1] = '\xff';
  page_.Add(otlp::MetricsView(wire));
  EXPECT_THAT(Text(), HasSubstr("g{a_b=\"x\xef\xbf\xbd;y\"} 1\n"));
}

// Scenario: OpenMetrics with exemplars and times.
// Guarantees: its form: names of counters, exemplars at their bucket, seconds, the end.
TEST_F(PrometheusPageTest, SpeaksOpenMetrics) {
  PrometheusPage page({.has_timestamps = true, .has_scope = false}, clock_);
  const std::string exemplar =
      R"("exemplars":[{"timeUnixNano":"1500000000","asDouble":1.5,"traceId":"00000000000000000000000000000001"}])";
  page.Add(otlp::MetricsView(RequestOf(
      R"({"name":"c","sum":{"isMonotonic":true,"aggregationTemporality":2,"dataPoints":[{"timeUnixNano":"2000000000","asInt":"3",)" +
      exemplar + R"(}]}},{"name":"h","histogram":{"aggregationTemporality":2,"dataPoints":[{"timeUnixNano":"2000000000",
      "count":"1","sum":1.5,"explicitBounds":[1,2],"bucketCounts":["0","1","0"],)" +
      exemplar + "}]}}")));
  const std::string shown = " # {trace_id=\"00000000000000000000000000000001\"} 1.5 1.500\n";
  EXPECT_EQ(page.Render(true),
            "# HELP c \n# TYPE c counter\nc_total 3.0 2.000" + shown +
                "# HELP h \n# TYPE h histogram\nh_bucket{le=\"1.0\"} 0 2.000\nh_bucket{le=\"2.0\"} 1 2.000" + shown +
                "h_bucket{le=\"+Inf\"} 1 2.000\nh_sum 1.5 2.000\nh_count 1 2.000\n# EOF\n");
  EXPECT_THAT(page.Render(false), HasSubstr("c_total 3 2000\n"));
}

// Scenario: points with an exemplar for one bucket, then for another, then for none; then with other bounds.
// Guarantees: an exemplar stays until its bucket has a new one, or the buckets change.
TEST_F(PrometheusPageTest, KeepsExemplarsBetweenScrapes) {
  const auto add = [&](const std::string& bounds, const std::string& exemplars) {
    Add(R"({"name":"h","histogram":{"aggregationTemporality":2,"dataPoints":[{"count":"1","sum":1,"explicitBounds":[)" +
        bounds + R"(],"bucketCounts":["1","0","0"],"exemplars":[)" + exemplars + "]}]}}");
  };
  const auto exemplar = [](const std::string& value, const std::string& trace) {
    return R"({"asDouble":)" + value + R"(,"traceId":"0000000000000000000000000000000)" + trace + R"("})";
  };
  const auto shows = [&](const std::string& trace) {
    return page_.Render(true).find("000" + trace + "\"}") != std::string::npos;
  };
  add("1,2", exemplar("0.5", "1"));
  add("1,2", exemplar("1.5", "2"));
  add("1,2", "");
  EXPECT_TRUE(shows("1") && shows("2"));
  add("1,2", exemplar("1", "3"));  // a bound is of its own bucket
  EXPECT_TRUE(!shows("1") && shows("2") && shows("3"));
  add("1,4", "");
  EXPECT_TRUE(!shows("2") && !shows("3"));
}

class PrometheusExporterTest : public testing::Test {
 protected:
  void Make(const std::string& yaml) {
    config::Problems problems;
    const auto options = config::ReadOptions<PrometheusOptions>(*config::ParseYaml(yaml, "f"), "e", problems);
    CHECK(problems.empty());
    exporter_ = std::make_unique<PrometheusExporter>(ComponentId{"prometheus", ""}, options, context_);
    ASSERT_TRUE(exporter_->Start().ok());
  }
  void TearDown() override { exporter_->Stop(1s); }
  void Send(const std::string& metrics) {
    EXPECT_TRUE(
        Deliver(*exporter_, otlp::Batch(otlp::Slice(Bytes(RequestOf(metrics, kResource)), 1, otlp::Signal::kMetrics)))
            .ok());
  }
  net::HttpResponse Get(const std::string& path, const std::string& header = "", const std::string& value = "") {
    net::HttpRequest request;
    request.method = "GET";
    request.path = path;
    if (!header.empty()) request.headers.Add(header, value);
    std::string address = exporter_->endpoints().at(0).address;
    address = address.substr(std::string("http://").size());
    address = address.substr(0, address.find('/'));
    const auto response = SendHttp(loops_.At(0), address, std::move(request));
    CHECK(response.ok());
    return *response;
  }

  net::LoopPool loops_{1};
  MetricRegistry metrics_;
  const BuildContext context_{.loops = loops_, .metrics = metrics_, .clock = Clock::System()};
  std::unique_ptr<PrometheusExporter> exporter_;
};

// Scenario: metrics are sent and scraped, in both formats, compressed too; another path.
// Guarantees: what is answered, and its type; the points are counted as sent.
TEST_F(PrometheusExporterTest, IsScraped) {
  Make("{endpoint: '127.0.0.1:0', namespace: ns, const_labels: {env: prod}, enable_open_metrics: true}");
  Send(Counter("5", 1, 2, 2));
  const net::HttpResponse page = Get("/metrics");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.headers.Get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(std::string(page.body.view()),
              HasSubstr("ns_hits_total{env=\"prod\",instance=\"i-1\",job=\"shop\",otel_scope_name=\"sc\","
                        "otel_scope_schema_url=\"\",otel_scope_version=\"\"} 5\n"));
  EXPECT_THAT(std::string(page.body.view()), HasSubstr("ns_target_info{host_name=\"h\""));
  const net::HttpResponse open = Get("/metrics", "accept", "application/openmetrics-text;version=1.0.0,text/plain");
  EXPECT_EQ(open.headers.Get("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
  EXPECT_TRUE(open.body.view().ends_with("# EOF\n"));
  EXPECT_EQ(Get("/").status, 404);
  EXPECT_EQ(metrics_.Sum("otelcol_exporter_sent_metric_points", {{"exporter", "prometheus"}}), 1u);
}

// Scenario: the option that the Collector has left behind.
// Guarantees: names end in their type all the same, as in its v0.155.
TEST_F(PrometheusExporterTest, KeepsSuffixesWithoutAStrategy) {
  Make("{endpoint: '127.0.0.1:0', add_metric_suffixes: false}");
  Send(Counter("5", 1, 2, 2));
  EXPECT_THAT(std::string(Get("/metrics").body.view()), HasSubstr("hits_total{"));
}

// Scenario: labels of resources instead of scopes, without suffixes.
// Guarantees: names and labels are as asked for.
TEST_F(PrometheusExporterTest, NamesThingsAsAskedFor) {
  Make(
      "{endpoint: '127.0.0.1:0', translation_strategy: UnderscoreEscapingWithoutSuffixes, without_scope_info: true, "
      "resource_to_telemetry_conversion: {enabled: true, exclude_service_attributes: true}}");
  Send(Counter("5", 1, 2, 2));
  EXPECT_THAT(std::string(Get("/metrics").body.view()),
              HasSubstr("\nhits{host_name=\"h\",instance=\"i-1\",job=\"shop\"} 5\n"));
}

// Scenario: the keys of a server that the Collector has, with its defaults.
// Guarantees: they are taken; what has no use here is refused by name.
TEST(PrometheusOptions, TakeThoseOfAServer) {
  const auto problems_of = [](const std::string& yaml) {
    config::Problems problems;
    static_cast<void>(config::ReadOptions<PrometheusOptions>(*config::ParseYaml(yaml, "f"), "e", problems));
    return problems.lines();
  };
  EXPECT_THAT(problems_of("{endpoint: 'a:1', transport: tcp, idle_timeout: 1m, "
                          "keep_alives_enabled: true, read_header_timeout: 1m, write_timeout: 30s, "
                          "include_metadata: false, sending_queue: null, auth: {authenticator: basicauth}}"),
              testing::IsEmpty());
  EXPECT_THAT(problems_of("{endpoint: 'a:1', include_metadata: true}"),
              testing::ElementsAre(HasSubstr("include_metadata")));
  EXPECT_THAT(problems_of("{endpoint: 'a:1', transport: udp}"), testing::ElementsAre(HasSubstr("transport")));
}

// Scenario: no endpoint.
// Guarantees: it is refused, as by the Collector.
TEST(PrometheusOptions, NeedAnEndpoint) {
  EXPECT_EQ(PrometheusOptions{}.Validate().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace spanloom::pipeline
