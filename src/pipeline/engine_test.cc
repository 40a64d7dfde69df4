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
using testing::SizeIs;
using testing::UnorderedElementsAre;

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

// Scenario: a store alone, a store with a batch and an exporter, an exporter with a batch, and one that waits.
// Guarantees: each says what its OK means, who says it, and what may be lost.
TEST_F(EngineTest, StatesWhatAnOkMeans) {
  Build(kStorePipeline,
        {"exporters.otlp_grpc={endpoint: 'b:1', tls: {insecure: true}}",
         "exporters.otlp_grpc/waits={endpoint: 'b:1', tls: {insecure: true}, sending_queue: {wait_for_result: true}}",
         "service.pipelines={traces: {receivers: [otlp], processors: [filter], exporters: [spanloom_store]},"
         "traces/b: {receivers: [otlp], processors: [filter, batch], exporters: [otlp_grpc, spanloom_store]},"
         "traces/c: {receivers: [otlp], processors: [batch, filter], exporters: [otlp_grpc]},"
         "traces/d: {receivers: [otlp], exporters: [otlp_grpc/waits]}}"});
  ASSERT_THAT(engine->acks(), SizeIs(4));
  for (const PipelineAck& stored : {engine->acks()[0], engine->acks()[1]}) {
    EXPECT_EQ(stored.grade, AckGrade::kStored);
    EXPECT_EQ(stored.by, "exporter \"spanloom_store\"");
    EXPECT_THAT(RiskText(stored), HasSubstr("lost with this process"));
  }
  EXPECT_EQ(engine->acks()[2].grade, AckGrade::kQueued);
  EXPECT_EQ(engine->acks()[2].by, "processor \"batch\" of traces/c");
  EXPECT_EQ(RiskText(engine->acks()[2]),
            "at most 500000 spans or 67108864 bytes in processor \"batch\" of traces/c (1h0m0s), at most 1000 requests "
            "or 268435456 bytes in exporter \"otlp_grpc\"");
  EXPECT_EQ(engine->acks()[3].grade, AckGrade::kDelivered);
  EXPECT_EQ(RiskText(engine->acks()[3]), "");
}

// Scenario: a batch with a far timeout and a filter behind it, in front of the store and another exporter.
// Guarantees: the store has what the filter leaves before the client is answered; only the other exporter waits.
TEST_F(EngineTest, ABatchDoesNotStandInFrontOfTheStore) {
  Build(kStorePipeline, {"exporters.debug={}", "service.pipelines.traces.processors=[batch, filter]",
                         "service.pipelines.traces.exporters=[debug, spanloom_store]"});
  ASSERT_TRUE(engine->Start().ok());
  EXPECT_TRUE(Send(BatchOf({"a", "noise"})).ok());
  EXPECT_THAT(store.names(), ElementsAre("a"));
  EXPECT_EQ(metrics.Sum("otelcol_exporter_sent_spans", {{"exporter", "debug"}}), 0u);
  EXPECT_EQ(engine->Stop(20s), 0u);
  EXPECT_EQ(metrics.Sum("otelcol_exporter_sent_spans", {{"exporter", "debug"}}), 1u);
}

// Scenario: the store has no room; a queue beside it has.
// Guarantees: the client is told to come back, with a delay, and the queue has not taken anything.
TEST_F(EngineTest, NothingIsTakenWithoutTheStore) {
  Build(kStorePipeline, {"exporters.debug={}",
                         "service.pipelines={traces: {receivers: [otlp], processors: [], exporters: [debug]}, "
                         "traces/a: {receivers: [otlp], processors: [filter], exporters: [spanloom_store]}, traces/b: "
                         "{receivers: [otlp], exporters: [spanloom_store, debug]}}"});
  store.RefuseReservations(WithRetryDelay(absl::UnavailableError("full"), 9ms));
  ASSERT_TRUE(engine->Start().ok());
  const Status refused = Send(BatchOf({"a", "noise"}));
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(RetryDelay(refused), 9ms);
  EXPECT_EQ(metrics.Sum("otelcol_exporter_sent_spans"), 0u);
  EXPECT_EQ(metrics.Sum("otelcol_processor_incoming_items"), 0u);
  store.RefuseReservations(absl::OkStatus());
  EXPECT_TRUE(Send(BatchOf({"a", "noise"})).ok());
  EXPECT_THAT(store.names(), UnorderedElementsAre("a", "a", "noise"));
  EXPECT_EQ(metrics.Sum("otelcol_exporter_sent_spans", {{"exporter", "debug"}}), 4u);
}

// Scenario: two pipelines end in a connector, two begin with it; the first ones hold a batch with a far timeout.
// Guarantees: a stop drains from the front to the back, through the connector.
TEST_F(EngineTest, StopDrainsThroughConnectors) {
  Build(kStorePipeline,
        {"exporters.debug={}", "exporters.debug/b={}", "connectors.forward={}",
         "service.pipelines={traces/z: {receivers: [forward], processors: [batch], exporters: [debug]}, traces: "
         "{receivers: [otlp], processors: [batch], exporters: [forward]}, traces/y: {receivers: [forward], processors: "
         "[filter], exporters: [debug/b]}}"});
  ASSERT_TRUE(engine->Start().ok());
  EXPECT_TRUE(Send(BatchOf({"a", "noise"})).ok());
  EXPECT_EQ(engine->Stop(20s), 0u);
  EXPECT_EQ(metrics.Sum("otelcol_exporter_sent_spans", {{"exporter", "debug"}}), 2u);
  EXPECT_EQ(metrics.Sum("otelcol_exporter_sent_spans", {{"exporter", "debug/b"}}), 1u);
}

// Scenario: a connector between the receiver and a pipeline that stores.
// Guarantees: the grade goes through it, the answer too.
TEST_F(EngineTest, AConnectorIsAsGoodAsWhatItFeeds) {
  Build(kStorePipeline, {"connectors.forward={}",
                         "service.pipelines={traces: {receivers: [otlp], processors: [batch, filter], "
                         "exporters: [forward]}, traces/b: {receivers: [forward], exporters: "
                         "[spanloom_store]}}"});
  EXPECT_EQ(engine->acks()[0].grade, AckGrade::kStored);
  ASSERT_TRUE(engine->Start().ok());
  EXPECT_TRUE(Send(BatchOf({"a", "noise"})).ok());
  EXPECT_THAT(store.names(), ElementsAre("a"));
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
// Guarantees: they are delivered when Stop returns, and none is counted as undelivered.
TEST_F(EngineTest, StopDrainsBatches) {
  Build(kStorePipeline, {"exporters.debug={}", "service.pipelines.traces.processors=[batch]",
                         "service.pipelines.traces.exporters=[debug]"});
  ASSERT_TRUE(engine->Start().ok());
  EXPECT_TRUE(Send(BatchOf({"a", "b"})).ok());
  EXPECT_EQ(metrics.Sum("otelcol_exporter_sent_spans"), 0u);
  EXPECT_EQ(engine->Stop(20s), 0u);
  EXPECT_EQ(metrics.Sum("otelcol_exporter_sent_spans"), 2u);
}

// Scenario: the store refuses for a while.
// Guarantees: its exporter is in a recoverable error for as long.
TEST_F(EngineTest, ReportsHowComponentsAreDoing) {
  Build(kStorePipeline);
  ASSERT_TRUE(engine->Start().ok());
  const auto state_of_store = [&] {
    for (const ComponentStatus& status : engine->statuses()) {
      if (status.id == "spanloom_store") return status.state;
    }
    return ComponentState::kFatalError;
  };
  EXPECT_EQ(state_of_store(), ComponentState::kOk);
  store.AnswerWith(WithRetryDelay(absl::UnavailableError("disk is full"), 1ms));
  EXPECT_FALSE(Send(BatchOf({"a"})).ok());
  EXPECT_EQ(state_of_store(), ComponentState::kRecoverableError);
  store.AnswerWith(absl::OkStatus());
  EXPECT_TRUE(Send(BatchOf({"a"})).ok());
  EXPECT_EQ(state_of_store(), ComponentState::kOk);
  engine->Stop(1s);
  EXPECT_EQ(state_of_store(), ComponentState::kStopped);
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
