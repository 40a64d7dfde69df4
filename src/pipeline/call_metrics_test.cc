// SPDX-License-Identifier: Apache-2.0

#include "pipeline/call_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace spanloom::pipeline {
namespace {

using testing::HasSubstr;

// Scenario: a call of each kind, one of them without an answer.
// Guarantees: the names, labels and bounds that the Collector has at level detailed.
TEST(CallMetrics, HaveTheCollectorsNamesAndLabels) {
  MetricRegistry metrics;
  CallMetrics calls(metrics);
  calls.AddHttpServer({.method = "POST",
                       .route = "/v1/logs",
                       .server = "localhost",
                       .status = 200,
                       .request_bytes = 80,
                       .response_bytes = 21},
                      3'000'000);
  calls.AddHttpClient(
      {.method = "POST", .version = "1.1", .server = "127.0.0.1:37285", .is_secure = true, .request_bytes = 30}, 1);
  calls.AddRpcServer("/opentelemetry.proto.collector.trace.v1.TraceService/Export", absl::OkStatus(), 1);
  calls.AddRpcClient("/a.B/C", "[::1]:4317", absl::InvalidArgumentError(""), 1);
  const std::string page = metrics.Render();
  const std::string server =
      R"({http_request_method="POST",http_response_status_code="200",http_route="/v1/logs",network_protocol_name="http",)"
      R"(server_address="localhost",url_scheme="http")";
  EXPECT_THAT(page, HasSubstr(StrCat("http_server_request_duration_bucket", server, ",le=\"0.005\"} 1\n")));
  EXPECT_THAT(page, HasSubstr(StrCat("http_server_request_body_size_bucket", server, ",le=\"75\"} 0\n")));
  EXPECT_THAT(page, HasSubstr(StrCat("http_server_response_body_size_sum", server, "} 21\n")));
  EXPECT_THAT(page, HasSubstr(R"(http_client_request_body_size_sum{http_request_method="POST",error_type="_OTHER",)"
                              R"(network_protocol_name="http",network_protocol_version="1.1",)"
                              R"(server_address="127.0.0.1",server_port="37285",)"
                              R"(url_scheme="https"} 30)"));
  EXPECT_THAT(
      page,
      HasSubstr(
          R"(rpc_server_call_duration_count{rpc_method="opentelemetry.proto.collector.trace.v1.TraceService/Export",)"
          R"(rpc_response_status_code="OK",rpc_system_name="grpc"} 1)"));
  EXPECT_THAT(page, HasSubstr(R"(rpc_client_call_duration_count{rpc_method="a.B/C",)"
                              R"(rpc_response_status_code="INVALID_ARGUMENT",rpc_system_name="grpc",)"
                              R"(server_address="::1",server_port="4317"} 1)"));
}

// Scenario: a client names another server in each of very many requests.
// Guarantees: those beyond the limit are counted as one.
TEST(CallMetrics, BoundsWhatItTellsApart) {
  MetricRegistry metrics;
  CallMetrics calls(metrics);
  for (size_t i = 0; i < CallMetrics::kLabelSetsMax + 5; ++i) {
    calls.AddHttpServer({.method = "POST", .server = StrCat("h", i), .status = 200}, 1);
  }
  EXPECT_THAT(metrics.Render(), HasSubstr("http_server_request_duration_count{otel_metric_overflow=\"true\"} 5\n"));
}

// Scenario: metrics are not detailed, then they are.
// Guarantees: nothing is counted unless it is asked for.
TEST(CallMetrics, AreThereIfAskedFor) {
  MetricRegistry metrics;
  EXPECT_EQ(CallMetrics::Create(metrics), nullptr);
  metrics.SetDetailed(true);
  EXPECT_NE(CallMetrics::Create(metrics), nullptr);
}

}  // namespace
}  // namespace spanloom::pipeline
