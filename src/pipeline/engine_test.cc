// SPDX-License-Identifier: Apache-2.0

#include "pipeline/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "pipeline/testing/pipeline_fixture.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class EngineTest : public testing::Test, protected PipelineFixture {};

constexpr char kStorePipeline[] = R"(
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}}}}
processors: {filter: {traces: {span: ['name == "noise"']}}, batch: {timeout: 1h}}
exporters: {spanloom_store: }
extensions: {health_check: {endpoint: "127.0.0.1:0"}}
service:
  extensions: [health_check]
  pipelines:
    traces: {receivers: [otlp], processors: [filter], exporters: [spanloom_store]}
)";

// Scenario: receiver, filter and store in one pipeline.
// Guarantees: what a client is told is stored is stored, before it is told.
TEST_F(EngineTest, CarriesSpansFromTheSocketToTheStore) {
  Build(kStorePipeline);
  ASSERT_TRUE(engine->Start().ok());
  EXPECT_TRUE(Send(BatchOf({"llm_request", "noise"})).ok());
  EXPECT_THAT(store.names(), ElementsAre("llm_request"));
  EXPECT_EQ(engine->Stop(1s), 0u);
}

// Scenario: pipelines with and without a batch in front of the store.
// Guarantees: each says what its OK means, and who says it.
TEST_F(EngineTest, StatesWhatAnOkMeans) {
  Build(kStorePipeline, {"service.pipelines={traces: {receivers: [otlp], processors: [filter], exporters: "
                         "[spanloom_store]}, traces/b: {receivers: [otlp], processors: [filter, batch], exporters: "
                         "[spanloom_store]}}"});
  ASSERT_THAT(engine->acks(), SizeIs(2));
  EXPECT_EQ(engine->acks()[0].grade, AckGrade::kStored);
  EXPECT_EQ(engine->acks()[0].by, "exporter \"spanloom_store\"");
  EXPECT_EQ(engine->acks()[1].grade, AckGrade::kQueued);
  EXPECT_EQ(engine->acks()[1].by, "processor \"batch\"");
}

// Scenario: one receiver feeds two pipelines.
// Guarantees: both get the spans.
TEST_F(EngineTest, FeedsEveryPipelineOfAReceiver) {
  Build(kStorePipeline,
        {"exporters.debug={}",
         "service.pipelines={traces: {processors: [], exporters: "
         "[spanloom_store]}, traces/b: {receivers: [otlp], processors: [filter], exporters: [debug]}}"});
  ASSERT_TRUE(engine->Start().ok());
  EXPECT_TRUE(Send(BatchOf({"a", "noise"})).ok());
  EXPECT_EQ(engine->Stop(1s), 0u);
  EXPECT_EQ(metrics.Sum("otelcol_exporter_sent_spans", {{"exporter", "spanloom_store"}}), 2u);
  EXPECT_EQ(metrics.Sum("otelcol_exporter_sent_spans", {{"exporter", "debug"}}), 1u);
}

// Scenario: spans wait in a batch with a far timeout when the process is told to stop.
// Guarantees: they are in the store when Stop returns, and none is counted as undelivered.
TEST_F(EngineTest, StopDrainsBatches) {
  Build(kStorePipeline, {"service.pipelines.traces.processors=[batch]"});
  ASSERT_TRUE(engine->Start().ok());
  EXPECT_TRUE(Send(BatchOf({"a", "b"})).ok());
  EXPECT_THAT(store.names(), IsEmpty());
  EXPECT_EQ(engine->Stop(20s), 0u);
  EXPECT_THAT(store.names(), ElementsAre("a", "b"));
}

// Scenario: the backend is down when the process is told to stop.
// Guarantees: Stop ends within its grace and says exactly how many spans were not delivered.
TEST_F(EngineTest, StopCountsWhatWasNotDelivered) {
  Build(kStorePipeline,
        {"exporters.otlp_grpc={endpoint: '127.0.0.1:1', tls: {insecure: true}}", "processors.batch.timeout=0s",
         "service.pipelines.traces.processors=[batch]", "service.pipelines.traces.exporters=[otlp_grpc]"});
  ASSERT_TRUE(engine->Start().ok());
  EXPECT_TRUE(Send(BatchOf({"a", "b"})).ok());
  EXPECT_TRUE(Send(BatchOf({"c"})).ok());
  EXPECT_EQ(engine->Stop(50ms), 3u);
  EXPECT_EQ(engine->Stop(50ms), 0u);
}

// Scenario: the port of the receiver is taken.
// Guarantees: Start names the component and the endpoint, and leaves nothing running.
TEST_F(EngineTest, StartNamesWhatFailed) {
  Build(kStorePipeline);
  ASSERT_TRUE(engine->Start().ok());
  const std::string taken = Address("OTLP/gRPC");
  PipelineFixture second;
  second.Build(kStorePipeline, {StrCat("receivers.otlp.protocols.grpc.endpoint=", taken)});
  const Status status = second.engine->Start();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("cannot start receiver \"otlp\": "));
  EXPECT_THAT(std::string(status.message()), HasSubstr(taken));
  EXPECT_TRUE(Send(BatchOf({"a"})).ok());
}

// Scenario: a probe before the start, while running, and after the stop.
// Guarantees: the health of the extension follows the engine's.
TEST_F(EngineTest, TellsExtensionsWhenItIsReady) {
  Build(kStorePipeline);
  ASSERT_TRUE(engine->Start().ok());
  const std::string url = Address("health");
  net::HttpRequest probe;
  probe.method = "GET";
  probe.path = "/";
  EXPECT_EQ(SendHttp(loops.At(0), url.substr(7, url.size() - 8), probe)->status, 200);
}

}  // namespace
}  // namespace spanloom::pipeline
