// SPDX-License-Identifier: Apache-2.0
//
// The collector configuration of llm-d's tracing guide, unchanged, in this process.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/testing/test_data.h"
#include "base/text.h"
#include "otlp/testing/recorded_requests.h"
#include "pipeline/testing/fake_backend.h"
#include "pipeline/testing/pipeline_fixture.h"
#include "store/conformance/request_builder.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::Not;

std::string GuideConfig() {
  return otlp::ReadFile(TestData() / "config" / "guide-otel-collector.yaml");
}

// Scenario: the guide's file as it is.
// Guarantees: it loads without a change; only its old exporter name is warned of.
TEST(Guide, LoadsUnchanged) {
  PipelineFixture pipeline;
  pipeline.Build(GuideConfig());
  ASSERT_EQ(pipeline.engine->acks().size(), 1u);
  EXPECT_EQ(pipeline.engine->acks()[0].grade, AckGrade::kQueued);
}

// Scenario: what the guide's recipe has commented out about payloads is commented in: a second pipeline that masks
// them. Guarantees: it loads.
TEST(Guide, LoadsWithTheRecipesRedaction) {
  PipelineFixture pipeline;
  pipeline.Build(GuideConfig(), {R"(processors.redaction/payloads={
    allow_all_keys: true,
    blocked_values: [
      "\\b\\d{3}-\\d{2}-\\d{4}\\b",
      "\\b(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|3[47][0-9]{13}|6(?:011|5[0-9]{2})[0-9]{12})\\b",
      "(?i)bearer\\s+[a-z0-9._\\-]+"],
    summary: debug})",
                                 "service.pipelines.traces/payloads={receivers: [otlp], processors: "
                                 "[redaction/payloads, batch], exporters: [otlp/jaeger]}"});
  EXPECT_EQ(pipeline.engine->acks().size(), 2u);
}

// Scenario: the guide's pipeline with the processor that its agents have, under its older name.
// Guarantees: it loads.
TEST(Guide, LoadsWithK8sAttributes) {
  PipelineFixture pipeline;
  pipeline.Build(GuideConfig(), {"processors.k8sattributes={passthrough: true}",
                                 "service.pipelines.traces.processors=[k8sattributes, batch]"});
  EXPECT_EQ(pipeline.engine->acks().size(), 1u);
}

class GuidePipeline : public testing::Test, protected PipelineFixture {
 protected:
  // Only addresses are changed: the test has no name jaeger-collector and no fixed ports.
  void Start() {
    Build(GuideConfig(),
          {"receivers.otlp.protocols.grpc.endpoint=127.0.0.1:0", "receivers.otlp.protocols.http.endpoint=127.0.0.1:0",
           StrCat("exporters.otlp/jaeger.endpoint=\"", jaeger.endpoint(), "\"")});
    const Status status = engine->Start();
    ASSERT_TRUE(status.ok()) << status;
  }

  FakeBackend jaeger{loops, metrics};
};

// Scenario: spans of an llm-d path with scrapes among them are sent through the guide's pipeline to a Jaeger.
// Guarantees: the scrapes, and only they, are missing there.
TEST_F(GuidePipeline, FiltersBatchesAndForwards) {
  Start();
  store::RequestBuilder request;
  request.FromService("llm-d-inference-scheduler")
      .Add({.trace_id = store::MakeTraceId(1), .span_id = store::MakeSpanId(1), .name = "gateway.request"})
      .Add({.trace_id = store::MakeTraceId(2), .span_id = store::MakeSpanId(2), .name = "GET /metrics"})
      .Add({.trace_id = store::MakeTraceId(3), .span_id = store::MakeSpanId(3), .name = "GET"})
      .FromService("routing-proxy")
      .Add({.trace_id = store::MakeTraceId(4),
            .span_id = store::MakeSpanId(4),
            .name = "llm_d.pd_proxy.GET /metrics",
            .attributes = {{"url.path", "/metrics"}}})
      .Add({.trace_id = store::MakeTraceId(1), .span_id = store::MakeSpanId(5), .name = "llm_d.pd_proxy.request"});
  EXPECT_TRUE(Send(request.Build()).ok());
  EXPECT_EQ(engine->Stop(20s), 0u);
  EXPECT_THAT(jaeger.names(), ElementsAre("gateway.request", "llm_d.pd_proxy.request"));
  EXPECT_EQ(metrics.Sum("otelcol_processor_filter_spans_filtered", {{"filter", "filter/drop-metrics-scraping"}}), 3u);
}

// Scenario: everything that was recorded from real components.
// Guarantees: each span is either filtered or arrives: nothing is lost or doubled.
TEST_F(GuidePipeline, LosesNothingOfRealTraffic) {
  Start();
  uint64_t spans = 0;
  for (const otlp::RecordedRequest& request : otlp::ReadRecordedRequests(".pb")) {
    ASSERT_TRUE(CallGrpc(loops.At(0), Address("OTLP/gRPC"), Bytes(request.body)).ok()) << request.name;
    spans += request.spans;
  }
  EXPECT_EQ(engine->Stop(20s), 0u);
  const uint64_t filtered = metrics.Sum("otelcol_processor_filter_spans_filtered");
  EXPECT_GT(filtered, 0u);
  EXPECT_EQ(jaeger.names().size() + filtered, spans);
  EXPECT_THAT(jaeger.names(), Contains("llm_request"));
  EXPECT_THAT(jaeger.names(), Not(Contains("GET")));
}

}  // namespace
}  // namespace spanloom::pipeline
