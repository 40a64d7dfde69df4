// SPDX-License-Identifier: Apache-2.0
//
// Metrics and logs beside spans: received, batched and forwarded without being looked into.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "base/text.h"
#include "config/yaml.h"
#include "otlp/export_service.h"
#include "otlp/json/transcode.h"
#include "otlp/signal.h"
#include "pipeline/testing/pipeline_fixture.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;
using otlp::Signal;
using testing::HasSubstr;

constexpr std::string_view kMetrics =
    R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","gauge":{"dataPoints":[{"asInt":"1"},{"asInt":"2"}]}}]}]}]})";
constexpr std::string_view kLogs =
    R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"hello"}}]}]}]})";

// One that has all three signals, and what it sends to.
class SignalsTest : public testing::Test, protected PipelineFixture {
 protected:
  void SetUp() override {
    Build(R"(
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}}
processors: {batch: {timeout: 0s, send_batch_size: 0}}
exporters: {debug: }
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [debug]}
    metrics: {receivers: [otlp], processors: [batch], exporters: [debug]}
    logs: {receivers: [otlp], exporters: [debug]}
)");
    ASSERT_TRUE(engine->Start().ok());
  }

  // Answered, and passed on by whatever answers early, once it is stopped.
  static std::string ForwarderTo(const std::string& exporters) {
    return StrCat(R"(
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}}
processors: {batch: {timeout: 1h}}
exporters: )",
                  exporters, R"(
service:
  pipelines:
    metrics: {receivers: [otlp], processors: [batch], exporters: [out]}
    logs: {receivers: [otlp], processors: [batch], exporters: [out]}
)");
  }

  Status SendGrpc(const PipelineFixture& to, Signal signal, std::string_view json) {
    return CallGrpc(loops.At(0), to.Address("OTLP/gRPC"), Bytes(*otlp::TranscodeJson(signal, json)),
                    std::string(otlp::ExportMethod(signal)))
        .status();
  }
  int SendJson(const PipelineFixture& to, Signal signal, std::string_view json) {
    net::HttpRequest request = PostTraces(std::string(json), "application/json");
    request.path = otlp::ExportPath(signal);
    const auto response = SendHttp(loops.At(0), to.Address("OTLP/HTTP"), std::move(request));
    return response.ok() ? response->status : 0;
  }
};

// Scenario: metrics and logs go through another engine, by gRPC in and HTTP out or the other way round.
// Guarantees: what comes out at the end is what went in, counted as points and records under the Collector's names.
TEST_F(SignalsTest, AreForwardedAndCountedAsWhatTheyAre) {
  const std::string http_out =
      StrCat("{otlp_http/out: {endpoint: 'http://", Address("OTLP/HTTP"), "', compression: gzip}}");
  const std::string grpc_out =
      StrCat("{otlp_grpc/out: {endpoint: '", Address("OTLP/gRPC"), "', tls: {insecure: true}}}");
  uint64_t rounds = 0;
  for (const auto& [type, out] : {std::pair("otlp_http", http_out), {"otlp_grpc", grpc_out}}) {
    PipelineFixture front;
    std::string yaml = ForwarderTo(out);
    while (yaml.find("[out]") != std::string::npos) yaml.replace(yaml.find("[out]"), 5, StrCat("[", type, "/out]"));
    front.Build(yaml);
    ASSERT_TRUE(front.engine->Start().ok());
    EXPECT_TRUE(SendGrpc(front, Signal::kMetrics, kMetrics).ok());
    EXPECT_EQ(SendJson(front, Signal::kLogs, kLogs), 200);
    EXPECT_EQ(front.engine->Stop(20s), 0u);
    ++rounds;

    EXPECT_EQ(front.metrics.Sum("otelcol_receiver_accepted_metric_points", {{"transport", "grpc"}}), 2u);
    EXPECT_EQ(front.metrics.Sum("otelcol_receiver_accepted_log_records", {{"transport", "http"}}), 1u);
    EXPECT_EQ(front.metrics.Sum("otelcol_receiver_accepted_spans"), 0u);
    EXPECT_EQ(front.metrics.Sum("otelcol_exporter_sent_metric_points"), 2u);
    EXPECT_EQ(front.metrics.Sum("otelcol_exporter_sent_log_records"), 1u);
    EXPECT_EQ(front.metrics.Sum("spanloom_pipeline_accepted_metric_points", {{"pipeline", "metrics"}}), 2u);
  }
  EXPECT_EQ(engine->Stop(20s), 0u);
  EXPECT_EQ(metrics.Sum("otelcol_exporter_sent_metric_points", {{"exporter", "debug"}}), 2 * rounds);
  EXPECT_EQ(metrics.Sum("otelcol_exporter_sent_log_records", {{"exporter", "debug"}}), rounds);
}

// Scenario: logs come to one that has pipelines for spans alone.
// Guarantees: the sender is told that nobody asks for them, as by the Collector; nothing is counted as refused.
TEST_F(SignalsTest, ThatNobodyAsksForAreTurnedAway) {
  PipelineFixture traces;
  traces.Build(R"(
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}}
exporters: {debug: }
service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}
)");
  ASSERT_TRUE(traces.engine->Start().ok());
  EXPECT_EQ(SendGrpc(traces, Signal::kLogs, kLogs).code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(SendJson(traces, Signal::kLogs, kLogs), 404);
  EXPECT_EQ(traces.metrics.Sum("spanloom_receiver_refused_requests", {{"cause", "signal"}}), 2u);
  EXPECT_EQ(traces.metrics.Sum("otelcol_receiver_refused_log_records"), 0u);
}

// Scenario: bytes that are no metrics.
// Guarantees: they are refused as malformed spans are, with the path of the field.
TEST_F(SignalsTest, AreCheckedBeforeTheyAreTaken) {
  const auto answer = CallGrpc(loops.At(0), Address("OTLP/gRPC"), Bytes(std::string("\x0a\x05\x01", 3)),
                               std::string(otlp::ExportMethod(Signal::kMetrics)));
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(SendJson(*this, Signal::kLogs, R"({"resourceLogs": 5})"), 400);
  EXPECT_EQ(metrics.Sum("spanloom_receiver_refused_requests", {{"cause", "malformed"}}), 2u);
}

// Scenario: a processor that looks into spans in a pipeline of metrics.
// Guarantees: it is refused by name.
TEST(Signals, AreNotForComponentsThatLookIntoThem) {
  FakeStore store;
  const auto node = config::ParseYaml(
      "receivers: {otlp: {protocols: {grpc: }}}\nprocessors: {resource: {attributes: [{key: k, action: delete}]}}\n"
      "exporters: {debug: , spanloom_store: }\n"
      "service: {pipelines: {metrics/m: {receivers: [otlp], processors: [resource], exporters: [debug, "
      "spanloom_store]}}}\n",
      "f");
  ASSERT_TRUE(node.ok());
  const Status status = ParseServiceConfig(*node, AllComponents(store)).status();
  EXPECT_THAT(StdView(status.message()),
              HasSubstr("f:2: service::pipelines::metrics/m: processor \"resource\": telemetry type is not supported"));
  EXPECT_THAT(StdView(status.message()),
              HasSubstr("service::pipelines::metrics/m: exporter \"spanloom_store\": telemetry type is not supported"));
}

// Scenario: forward joins pipelines of different signals.
// Guarantees: it does not, which is said of each.
TEST(Signals, AreNotMixedByAConnector) {
  FakeStore store;
  const auto node = config::ParseYaml(
      "receivers: {otlp: {protocols: {grpc: }}}\nexporters: {debug: }\nconnectors: {forward: }\n"
      "service: {pipelines: {logs: {receivers: [otlp], exporters: [forward]}, traces: {receivers: [forward], "
      "exporters: "
      "[debug]}}}\n",
      "f");
  ASSERT_TRUE(node.ok());
  const Status status = ParseServiceConfig(*node, AllComponents(store)).status();
  EXPECT_THAT(StdView(status.message()),
              HasSubstr("connector \"forward\" used as exporter in [logs] pipeline but not used in any supported "
                        "receiver pipeline"));
  EXPECT_THAT(StdView(status.message()),
              HasSubstr("connector \"forward\" used as receiver in [traces] pipeline but not used in any supported "
                        "exporter pipeline"));
}

}  // namespace
}  // namespace spanloom::pipeline
