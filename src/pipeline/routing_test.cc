// SPDX-License-Identifier: Apache-2.0
//
// The routing connector in its place: behind receivers and processors, in front of pipelines that store and others.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "otlp/export_service.h"
#include "otlp/json/transcode.h"
#include "pipeline/testing/fake_backend.h"
#include "pipeline/testing/pipeline_fixture.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// Spans whose names begin with "s" are stored, with "q" are queued for a backend; others have no way.
constexpr char kConfig[] = R"yaml(
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0", include_metadata: true}}}}
processors:
  batch: {timeout: 1h}
  transform: {trace_statements: ['set(span.name, "s-edited") where span.name == "x"']}
  filter: {traces: {span: ['name == "noise"']}}
exporters:
  spanloom_store:
  spanloom_store/b:
  debug:
  otlp_grpc: {endpoint: BACKEND, tls: {insecure: true}, retry_on_failure: {initial_interval: 1ms}}
connectors:
  routing:
    table:
      - {context: span, condition: 'IsMatch(name, "^s")', pipelines: [traces/s]}
      - {context: span, condition: 'IsMatch(name, "^q")', pipelines: [traces/q]}
service:
  pipelines:
    traces/in: {receivers: [otlp], processors: [], exporters: [routing]}
    traces/s: {receivers: [routing], processors: [], exporters: [spanloom_store]}
    traces/q: {receivers: [routing], exporters: [otlp_grpc]}
)yaml";

class RoutingPipelines : public testing::Test, protected PipelineFixture {
 protected:
  [[nodiscard]] std::vector<std::string> WithBackend(std::vector<std::string> settings) const {
    settings.push_back(StrCat("exporters.otlp_grpc.endpoint=\"", backend.endpoint(), "\""));
    return settings;
  }
  void Start(const std::vector<std::string>& settings = {}) {
    Build(kConfig, WithBackend(settings));
    const Status status = engine->Start();
    ASSERT_TRUE(status.ok()) << status;
  }
  Status SendAs(const std::string& tenant, const otlp::Batch& batch) {
    net::GrpcCallOptions call;
    call.metadata.Add("x-tenant", tenant);
    return CallGrpc(loops.At(0), Address("OTLP/gRPC"), batch.Encode(), kExportMethod, call).status();
  }
  [[nodiscard]] uint64_t Accepted(const std::string& pipeline) const {
    return metrics.Sum("spanloom_pipeline_accepted_spans", {{"pipeline", pipeline}});
  }
  [[nodiscard]] uint64_t Unrouted() const {
    return metrics.Sum("spanloom_pipeline_dropped_spans", {{"connector", "routing"}, {"cause", "unrouted"}});
  }

  FakeBackend backend{loops, metrics};
};

// Scenario: one request with spans for each way, and one for none.
// Guarantees: each pipeline has its own; what has no way is counted as dropped by the connector.
TEST_F(RoutingPipelines, EachSpanGoesToItsPipeline) {
  Start();
  EXPECT_TRUE(Send(BatchOf({"s1", "q1", "x", "s2"})).ok());
  EXPECT_THAT(store.names(), ElementsAre("s1", "s2"));
  ASSERT_TRUE(backend.AwaitSpans(1));
  EXPECT_EQ(engine->Stop(20s), 0u);
  EXPECT_THAT(backend.names(), ElementsAre("q1"));
  EXPECT_EQ(Accepted("traces/in"), 4u);
  EXPECT_EQ(Accepted("traces/s"), 2u);
  EXPECT_EQ(Accepted("traces/q"), 1u);
  EXPECT_EQ(Unrouted(), 1u);
}

// Scenario: one way stores and one queues; then both store.
// Guarantees: an OK promises no more than the weaker way does, and says what may be lost on it.
TEST_F(RoutingPipelines, AnOkPromisesWhatTheWeakestWayDoes) {
  Start();
  EXPECT_EQ(engine->acks()[0].pipeline, "traces/in");
  EXPECT_EQ(engine->acks()[0].grade, AckGrade::kQueued);
  EXPECT_THAT(RiskText(engine->acks()[0]), HasSubstr("exporter \"otlp_grpc\""));
  EXPECT_EQ(engine->acks()[1].grade, AckGrade::kStored);
  engine->Stop(20s);
  Start({"service.pipelines.traces/q.exporters=[spanloom_store/b]"});
  EXPECT_EQ(engine->acks()[0].grade, AckGrade::kStored);
}

// Scenario: a batch processor with a far timeout in front of ways of which one stores.
// Guarantees: it does not stand between a sender and the store, nor in front of the other way.
TEST_F(RoutingPipelines, ABatchInFrontHoldsNothing) {
  Start({"service.pipelines.traces/in.processors=[batch]"});
  EXPECT_TRUE(Send(BatchOf({"s1", "q1"})).ok());
  EXPECT_THAT(store.names(), ElementsAre("s1"));
  ASSERT_TRUE(backend.AwaitSpans(1));
}

// Scenario: two ways store, and the store has no room; then it fails as it commits, once.
// Guarantees: without room nothing is taken anywhere; after the failure, sent again, the queue has the span once.
TEST_F(RoutingPipelines, ARefusalLeavesNothing) {
  Start({"service.pipelines.traces/q.exporters=[spanloom_store/b]",
         "connectors.routing.default_pipelines=[traces/rest]",
         "service.pipelines.traces/rest={receivers: [routing], exporters: [otlp_grpc]}"});
  store.RefuseReservations(WithRetryDelay(absl::UnavailableError("full"), 5ms));
  EXPECT_EQ(RetryDelay(Send(BatchOf({"s1", "q1", "x"}))), 5ms);
  EXPECT_THAT(store.names(), IsEmpty());
  store.RefuseReservations(absl::OkStatus());
  store.AnswerWith(absl::UnavailableError("write failed"));
  EXPECT_EQ(Send(BatchOf({"s1", "q1", "x"})).code(), absl::StatusCode::kUnavailable);
  store.AnswerWith(absl::OkStatus());
  EXPECT_TRUE(Send(BatchOf({"s1", "q1", "x"})).ok());
  EXPECT_EQ(engine->Stop(20s), 0u);
  EXPECT_THAT(store.names(), UnorderedElementsAre("s1", "q1"));
  EXPECT_THAT(backend.names(), ElementsAre("x"));
  EXPECT_EQ(metrics.Sum("spanloom_pipeline_dropped_spans"), 0u);
}

// Scenario: the connector stands beside a store, behind a processor that edits what the routes ask about and one that
// filters.
// Guarantees: room is reserved for all, but it is routed as it is at commit.
TEST_F(RoutingPipelines, RoutesWhatProcessorsHaveMade) {
  Start({"service.pipelines.traces/in.processors=[transform, filter]",
         "service.pipelines.traces/in.exporters=[routing, spanloom_store/b]"});
  EXPECT_TRUE(Send(BatchOf({"x", "noise"})).ok());
  EXPECT_EQ(Accepted("traces/s"), 1u);
  EXPECT_THAT(store.names(), ElementsAre("s-edited", "s-edited"));
  EXPECT_EQ(Unrouted(), 0u);
}

// Scenario: requests of two tenants, told apart by a header.
// Guarantees: each goes to its pipeline, looked into or not.
TEST_F(RoutingPipelines, RoutesByMetadata) {
  const std::vector<std::string> by_tenant = {
      "connectors.routing={default_pipelines: [traces/q], table: [{context: request, condition: 'request[\"X-Tenant\"] "
      "== \"acme\"', pipelines: [traces/s]}]}",
      "connectors.routing/m={default_pipelines: [metrics/rest], table: [{context: request, condition: "
      "'request[\"X-Tenant\"] == \"acme\"', pipelines: [metrics/acme]}]}",
      "service.pipelines.metrics/in={receivers: [otlp], exporters: [routing/m]}",
      "service.pipelines.metrics/acme={receivers: [routing/m], exporters: [debug]}",
      "service.pipelines.metrics/rest={receivers: [routing/m], exporters: [debug]}"};
  Start(by_tenant);
  EXPECT_TRUE(SendAs("acme", BatchOf({"a"})).ok());
  EXPECT_TRUE(SendAs("ecorp", BatchOf({"b"})).ok());
  EXPECT_THAT(store.names(), ElementsAre("a"));
  ASSERT_TRUE(backend.AwaitSpans(1));

  const Bytes points(*otlp::TranscodeJson(
      otlp::Signal::kMetrics,
      R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","gauge":{"dataPoints":[{"asInt":"1"}]}}]}]}]})"));
  net::GrpcCallOptions call;
  call.metadata.Add("x-tenant", "acme");
  const std::string method(otlp::ExportMethod(otlp::Signal::kMetrics));
  EXPECT_TRUE(CallGrpc(loops.At(0), Address("OTLP/gRPC"), points, method, call).ok());
  EXPECT_EQ(metrics.Sum("spanloom_pipeline_accepted_metric_points", {{"pipeline", "metrics/acme"}}), 1u);
  EXPECT_EQ(metrics.Sum("spanloom_pipeline_accepted_metric_points", {{"pipeline", "metrics/rest"}}), 0u);
}

// Scenario: what stands behind the connector changes, then its routes.
// Guarantees: first it stays and leads to what is new; then it is exchanged, and the new routes hold at once.
TEST_F(RoutingPipelines, AReloadLeadsAnew) {
  Start();
  EXPECT_TRUE(Send(BatchOf({"s1", "noise"})).ok());
  auto report = engine->Reload(
      Parse(kConfig, WithBackend({"service.pipelines.traces/s.exporters=[debug]",
                                  "service.pipelines.traces/x={receivers: [otlp], exporters: [debug]}"})),
      20s);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->kept, Contains("connector \"routing\""));
  EXPECT_TRUE(Send(BatchOf({"s2"})).ok());
  EXPECT_THAT(store.names(), ElementsAre("s1"));
  report = engine->Reload(
      Parse(kConfig, WithBackend({"connectors.routing.table=[{context: span, condition: 'name == \"x\"', pipelines: "
                                  "[traces/s]}]",
                                  "connectors.routing.default_pipelines=[traces/q]"})),
      20s);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->stopped, Contains("connector \"routing\""));
  EXPECT_TRUE(Send(BatchOf({"x", "s3"})).ok());
  EXPECT_THAT(store.names(), ElementsAre("s1", "x"));
  ASSERT_TRUE(backend.AwaitSpans(1));
  EXPECT_THAT(backend.names(), ElementsAre("s3"));
}

}  // namespace
}  // namespace spanloom::pipeline
