// SPDX-License-Identifier: Apache-2.0

#include "pipeline/receivers/request_trace.h"

#include <utility>

#include "base/text.h"
#include "sdk/otlp_sender.h"
#include "semconv/names.h"

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kService = "opentelemetry.proto.collector.trace.v1.TraceService";
constexpr std::string_view kMethod = "Export";
constexpr std::string_view kGrpcSpan = "opentelemetry.proto.collector.trace.v1.TraceService/Export";

// The codes that are the server's fault. OpenTelemetry semantic conventions, "gRPC", "Server status".
bool IsServerError(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDataLoss:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::unique_ptr<RequestTrace> RequestTrace::Start(const sdk::Tracer& tracer, std::string_view name,
                                                  const net::HttpHeaders& headers) {
  if (!headers.Get(sdk::kOwnTelemetryHeader).empty()) return nullptr;
  sdk::Span server = tracer.Start(name, otlp::SpanKind::kServer, sdk::Extract(headers, tracer.propagation()));
  if (!server.is_recording()) return nullptr;
  return std::unique_ptr<RequestTrace>(new RequestTrace(tracer, std::move(server)));
}

std::unique_ptr<RequestTrace> RequestTrace::OfGrpc(const sdk::Tracer& tracer, const net::HttpHeaders& metadata) {
  if (!tracer.is_on()) return nullptr;
  auto trace = Start(tracer, kGrpcSpan, metadata);
  if (trace == nullptr) return nullptr;
  trace->server_.SetString(semconv::rpc::kSystem, "grpc");
  trace->server_.SetString(semconv::rpc::kService, kService);
  trace->server_.SetString(semconv::rpc::kMethod, kMethod);
  return trace;
}

std::unique_ptr<RequestTrace> RequestTrace::OfHttp(const sdk::Tracer& tracer, const net::HttpRequest& request) {
  if (!tracer.is_on()) return nullptr;
  auto trace = Start(tracer, StrCat(request.method, " ", request.path), request.headers);
  if (trace == nullptr) return nullptr;
  trace->server_.SetString(semconv::http::kRequestMethod, request.method);
  trace->server_.SetString(semconv::http::kUrlPath, request.path);
  return trace;
}

void RequestTrace::BeginReceive(const std::string& receiver, std::string_view transport, std::string_view format) {
  receive_ =
      tracer_.Start(StrCat("receiver/", receiver, "/TraceDataReceived"), otlp::SpanKind::kInternal, server_.context());
  receive_.SetString("receiver", receiver).SetString("transport", transport).SetString("format", format);
}

void RequestTrace::EndReceive(size_t spans, const Status& status) {
  const auto count = static_cast<int64_t>(spans);
  receive_.SetInt("accepted_spans", status.ok() ? count : 0).SetInt("refused_spans", status.ok() ? 0 : count);
  if (!status.ok()) receive_.SetStatus(otlp::StatusCode::kError, StdView(status.message()));
  receive_.End();
}

void RequestTrace::AnswerGrpc(const Status& status) {
  server_.SetInt(semconv::rpc::kGrpcStatusCode, static_cast<int64_t>(status.code()));
  if (IsServerError(status.code())) server_.SetStatus(otlp::StatusCode::kError, StdView(status.message()));
  server_.End();
}

void RequestTrace::AnswerHttp(int http_status) {
  server_.SetInt(semconv::http::kStatusCode, http_status);
  if (http_status >= 500) server_.SetStatus(otlp::StatusCode::kError);
  server_.End();
}

}  // namespace spanloom::pipeline
