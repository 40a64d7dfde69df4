// SPDX-License-Identifier: Apache-2.0

#include "app/own_findings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <vector>

#include "app/compose_config.h"
#include "config/yaml.h"
#include "store/conformance/model_store.h"
#include "store/conformance/request_builder.h"

namespace spanloom::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kFaulty = R"(receivers: {otlp: {protocols: {grpc: {}}}}
processors:
  filter:
    traces:
      span:
        - name == "GET"
exporters: {spanloom_store: {}}
service: {pipelines: {traces: {receivers: [otlp], processors: [filter], exporters: [spanloom_store]}}}
)";

config::Node Parsed(std::string_view yaml, std::string_view file) {
  return *config::ParseYaml(yaml, file);
}

class OwnFindingsTest : public testing::Test {
 protected:
  OwnFindings Make(OwnFindingsOptions options = {}) {
    return {metrics_,
            [this]() -> store::SpanStore& {
              ++looks_;
              if (hold_) hold_();
              return store_;
            },
            clock_, std::move(options)};
  }
  // A root of "a", and of "b" a span whose parent has not come, both an hour's half ago.
  void AddSpans(bool with_orphan) {
    const auto start = static_cast<uint64_t>(clock_.UnixNs() - 1'800'000'000'000);
    store::SpanSpec span{.trace_id = store::MakeTraceId(1),
                         .span_id = store::MakeSpanId(1),
                         .start_unix_ns = start,
                         .end_unix_ns = start + 1'000};
    store_.Add(store::RequestBuilder().FromService("a").Add(span).Build());
    if (!with_orphan) return;
    span.span_id = store::MakeSpanId(2);
    span.parent_span_id = store::MakeSpanId(9);
    store_.Add(store::RequestBuilder().FromService("b").Add(span).Build());
  }
  static std::vector<std::string> Rules(const StatusOr<findings::FindingsReport>& report) {
    std::vector<std::string> rules;
    if (!report.ok()) return {std::string(report.status().message())};
    for (const findings::Finding& finding : report->findings) rules.push_back(finding.rule);
    return rules;
  }

  SimClock clock_;
  MetricRegistry metrics_;
  store::ModelStore store_{clock_};
  std::atomic<int> looks_ = 0;
  std::function<void()> hold_;
};

// Scenario: a filter that drops every GET, an exporter that has lost spans, a span without its parent.
// Guarantees: each is found by its rule, the error first, with its place and the text to paste.
TEST_F(OwnFindingsTest, LooksAtConfigurationMetricsAndTraces) {
  AddSpans(true);
  metrics_.GetCounter("otelcol_exporter_send_failed_spans", "Failed.", {{"exporter", "otlp_grpc/jaeger"}}).Add(3);
  OwnFindings findings = Make();
  findings.SetConfig(Parsed(kFaulty, "collector.yaml"));
  const auto report = findings.Find({});
  EXPECT_THAT(Rules(report), ElementsAre("filter-drops-get", "live-exporter-failing", "live-orphans"));
  const findings::Finding& get = report->findings[0];
  EXPECT_EQ(get.severity, "error");
  EXPECT_EQ(get.where, "collector.yaml");
  EXPECT_EQ(get.line, 6);
  EXPECT_THAT(get.fix, HasSubstr("http.route"));
  EXPECT_THAT(report->findings[1].what, HasSubstr("otlp_grpc/jaeger: 3 spans"));
  EXPECT_EQ(report->looked_unix_ns, clock_.UnixNs());
  EXPECT_THAT(report->left_out, IsEmpty());
}

// Scenario: the built-in configuration, and a whole trace.
// Guarantees: nothing is found.
TEST_F(OwnFindingsTest, FindsNothingWhereAllIsWell) {
  AddSpans(false);
  OwnFindings findings = Make();
  findings.SetConfig(Parsed(BuiltInConfig("127.0.0.1"), "built-in configuration"));
  EXPECT_THAT(Rules(findings.Find({})), IsEmpty());
}

// Scenario: a receiver without an endpoint in a pod, of a process that listens everywhere, and of one that does not.
// Guarantees: only the second can't be reached.
TEST_F(OwnFindingsTest, KnowsWhereItListensInAPod) {
  AddSpans(false);
  for (const auto& [host, rules] : {std::pair("0.0.0.0", size_t{0}), std::pair("127.0.0.1", size_t{1})}) {
    OwnFindings findings = Make({.listen_host = host, .is_in_pod = true});
    findings.SetConfig(Parsed(R"(receivers: {otlp: {protocols: {grpc: {}}}}
exporters: {spanloom_store: {}}
service: {pipelines: {traces: {receivers: [otlp], exporters: [spanloom_store]}}})",
                              "c.yaml"));
    EXPECT_THAT(Rules(findings.Find({})), testing::SizeIs(rules)) << host;
  }
}

// Scenario: asked again, at once and after half a minute.
// Guarantees: it looks once in 30 s, however often it is asked.
TEST_F(OwnFindingsTest, LooksOnceInHalfAMinute) {
  AddSpans(false);
  OwnFindings findings = Make();
  const int64_t first_ns = clock_.UnixNs();
  EXPECT_TRUE(findings.Find({}).ok());
  clock_.Advance(29'999'999'999);
  EXPECT_EQ(findings.Find({})->looked_unix_ns, first_ns);
  EXPECT_EQ(looks_, 1);
  clock_.Advance(1);
  EXPECT_EQ(findings.Find({})->looked_unix_ns, clock_.UnixNs());
  EXPECT_EQ(looks_, 2);
}

// Scenario: another configuration runs, from before the second question; then from within the third examination.
// Guarantees: what runs now is examined at the next question, and no later.
TEST_F(OwnFindingsTest, LooksAgainWhenSomethingElseRuns) {
  AddSpans(false);
  OwnFindings findings = Make();
  const config::Node well = Parsed(BuiltInConfig("127.0.0.1"), "built-in configuration");
  const config::Node faulty = Parsed(kFaulty, "collector.yaml");
  findings.SetConfig(well);
  EXPECT_THAT(Rules(findings.Find({})), IsEmpty());
  findings.SetConfig(faulty);
  EXPECT_THAT(Rules(findings.Find({})), ElementsAre("filter-drops-get"));
  findings.SetConfig(faulty);
  hold_ = [&] { findings.SetConfig(well); };
  EXPECT_THAT(Rules(findings.Find({})), ElementsAre("filter-drops-get"));
  hold_ = nullptr;
  EXPECT_THAT(Rules(findings.Find({})), IsEmpty());
  EXPECT_EQ(looks_, 4);
}

// Scenario: a second question while the first examination is under way; and while a later one is.
// Guarantees: nobody waits for another's: the answer is to come again, or the examination before.
TEST_F(OwnFindingsTest, LetsNobodyWaitForAnother) {
  AddSpans(false);
  OwnFindings findings = Make();
  std::vector<Status> meanwhile;
  hold_ = [&] { meanwhile.push_back(findings.Find({}).status()); };
  EXPECT_TRUE(findings.Find({}).ok());
  clock_.Advance(30'000'000'000);
  EXPECT_TRUE(findings.Find({}).ok());
  ASSERT_EQ(meanwhile.size(), 2U);
  EXPECT_EQ(meanwhile[0].code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(meanwhile[1].ok()) << meanwhile[1];
}

// Scenario: whoever asked has gone; then another asks.
// Guarantees: the examination ends without an answer that is kept, and the next one is of what runs now.
TEST_F(OwnFindingsTest, KeepsNoBrokenOffExamination) {
  AddSpans(false);
  OwnFindings findings = Make();
  EXPECT_TRUE(findings.Find({}).ok());
  findings.SetConfig(Parsed(kFaulty, "collector.yaml"));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(findings.Find(stop.get_token()).status().code(), absl::StatusCode::kCancelled);
  EXPECT_THAT(Rules(findings.Find({})), ElementsAre("filter-drops-get"));
}

// Scenario: a process without a store, which has lost spans.
// Guarantees: configuration and metrics are looked at; that traces are not is said, with who has them.
TEST_F(OwnFindingsTest, LooksAtAProcessWithoutAStore) {
  metrics_.GetCounter("otelcol_exporter_enqueue_failed_spans", "Full.", {{"exporter", "otlp"}}).Add(1);
  OwnFindings findings(metrics_, nullptr, clock_, {});
  findings.SetConfig(Parsed(kFaulty, "collector.yaml"));
  const auto report = findings.Find({});
  EXPECT_THAT(Rules(report), ElementsAre("filter-drops-get", "live-queue-full"));
  EXPECT_THAT(report->left_out, ElementsAre(HasSubstr("spanloom doctor live --backend")));
}

// Scenario: no time for the store; and a fault that was written on the command line.
// Guarantees: what else was looked at is answered, and that traces were not; the value of the setting is not shown.
TEST_F(OwnFindingsTest, SaysWhatWasLeftOutAndNoSecret) {
  AddSpans(true);
  OwnFindings findings = Make({.sample = {.time_max = std::chrono::seconds(0)}});
  findings.SetConfig(Parsed(kFaulty, "--set a.b=https://user:password@host"));
  const auto report = findings.Find({});
  EXPECT_THAT(Rules(report), ElementsAre("filter-drops-get"));
  EXPECT_THAT(report->left_out, ElementsAre(HasSubstr("all traces: ")));
  EXPECT_EQ(report->findings[0].where, "--set a.b");
}

}  // namespace
}  // namespace spanloom::app
