// SPDX-License-Identifier: Apache-2.0

#include "pipeline/receivers/request_trace.h"

#include <gtest/gtest.h>

#include "sdk/otlp_sender.h"
#include "sdk/testing/kept_spans.h"

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kSampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
constexpr std::string_view kUnsampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

class RequestTraceTest : public testing::Test {
 protected:
  RequestTraceTest() { request_.headers.Add("traceparent", std::string(kSampled)); }

  const sdk::SpanRecord& Span(size_t index) { return *kept_.spans().at(index); }

  SimClock clock_;
  sdk::KeptSpans kept_;
  const sdk::Tracer tracer_{sdk::Sampler::ParentBased(sdk::Sampler::AlwaysOn()), clock_, Rng(1), kept_};
  net::HttpRequest request_{.method = "POST", .path = "/v1/traces", .query = "", .headers = {}, .body = {}, .peer = ""};
};

// Scenario: a gRPC request with a traceparent, taken by the pipeline.
// Guarantees: two spans of the sender's trace, with the Collector's names and counts.
TEST_F(RequestTraceTest, ContinuesTheTraceOfItsSender) {
  const auto trace = RequestTrace::OfGrpc(tracer_, request_.headers);
  trace->BeginReceive("otlp/2", "grpc", "protobuf");
  trace->EndReceive(12, absl::OkStatus());
  trace->AnswerGrpc(absl::OkStatus());
  ASSERT_EQ(kept_.spans().size(), 2u);
  EXPECT_EQ(Span(1).name, "opentelemetry.proto.collector.trace.v1.TraceService/Export");
  EXPECT_EQ(Span(1).kind, otlp::SpanKind::kServer);
  EXPECT_EQ(Span(1).parent.Hex(), "b7ad6b7169203331");
  EXPECT_TRUE(Span(1).parent_is_remote);
  EXPECT_EQ(Span(0).name, "receiver/otlp/2/TraceDataReceived");
  EXPECT_EQ(Span(0).parent, Span(1).context.span_id);
  EXPECT_EQ(Span(0).context.trace_id.Hex(), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(Span(0).attributes.back().key, "refused_spans");
  EXPECT_EQ(std::get<int64_t>(Span(0).attributes.back().value), 0);
  EXPECT_EQ(Span(1).status, otlp::StatusCode::kUnset);
}

// Scenario: refusals over both protocols, one of them the sender's own fault.
// Guarantees: the receive span is an error with its cause; the SERVER span is one only if the server is at fault.
TEST_F(RequestTraceTest, TellsWhoseFaultItWas) {
  auto trace = RequestTrace::OfHttp(tracer_, request_);
  trace->BeginReceive("otlp", "http", "json");
  trace->EndReceive(3, absl::UnavailableError("full"));
  trace->AnswerHttp(503);
  EXPECT_EQ(Span(0).status, otlp::StatusCode::kError);
  EXPECT_EQ(Span(0).status_message, "full");
  EXPECT_EQ(Span(1).name, "POST /v1/traces");
  EXPECT_EQ(Span(1).status, otlp::StatusCode::kError);
  RequestTrace::OfHttp(tracer_, request_)->AnswerHttp(400);
  EXPECT_EQ(Span(2).status, otlp::StatusCode::kUnset);
  RequestTrace::OfGrpc(tracer_, {})->AnswerGrpc(absl::InternalError("no protobuf"));
  EXPECT_EQ(Span(3).status, otlp::StatusCode::kError);
  EXPECT_TRUE(Span(3).parent.IsZero());
}

// Scenario: a tracer that is off, a trace that is not sampled, and a request of our own spans.
// Guarantees: no span, and nothing to carry about.
TEST_F(RequestTraceTest, IsNothingWhereNobodyAsks) {
  EXPECT_EQ(RequestTrace::OfGrpc(sdk::Tracer::None(), request_.headers), nullptr);
  net::HttpHeaders unsampled;
  unsampled.Add("traceparent", std::string(kUnsampled));
  EXPECT_EQ(RequestTrace::OfGrpc(tracer_, unsampled), nullptr);
  request_.headers.Set(sdk::kOwnTelemetryHeader, "1");
  EXPECT_EQ(RequestTrace::OfHttp(tracer_, request_), nullptr);
  EXPECT_EQ(RequestTrace::OfGrpc(tracer_, request_.headers), nullptr);
}

}  // namespace
}  // namespace spanloom::pipeline
