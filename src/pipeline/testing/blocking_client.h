// SPDX-License-Identifier: Apache-2.0
//
// For tests: clients that wait for their answer, on top of those of net.

#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "net/client.h"
#include "net/loop_call.h"
#include "net/server.h"
#include "net/waiting_request.h"
#include "pipeline/testing/fake_consumer.h"

namespace spanloom::pipeline {

inline constexpr char kExportMethod[] = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

// The answer to one gRPC call over a connection of its own.
inline StatusOr<Bytes> CallGrpc(net::Loop& loop, const std::string& endpoint, Bytes message,
                                const std::string& method = kExportMethod, const net::GrpcCallOptions& call = {}) {
  Notification answered;
  StatusOr<Bytes> answer = absl::UnknownError("");
  std::unique_ptr<net::GrpcChannel> channel;
  RunOn(loop, [&] {
    net::GrpcChannelOptions options;
    options.endpoint = endpoint;
    options.user_agent = "pipeline-test";
    auto created = net::GrpcChannel::Create(loop, std::move(options));
    CHECK(created.ok());
    channel = *std::move(created);
    channel->Call(method, ByteChain(std::move(message)), call, [&](StatusOr<Bytes> result) {
      answer = std::move(result);
      answered.Notify();
    });
  });
  CHECK(answered.WaitFor(kPatience));
  RunOn(loop, [&] { channel.reset(); });
  return answer;
}

// The answer to one HTTP request over a connection of its own.
inline StatusOr<net::HttpResponse> SendHttp(net::Loop& loop, const std::string& endpoint, net::HttpRequest request) {
  net::HttpClientOptions options;
  options.endpoint = endpoint;
  return net::SendAndWait(loop, std::move(options), std::move(request), std::chrono::seconds(20));
}

// An address on loopback that nobody listens on at the moment, for tests that need the same one twice.
inline std::string FreeEndpoint(net::LoopPool& loops, MetricRegistry& metrics) {
  net::ServerOptions options;
  options.name = "free";
  options.endpoint = "127.0.0.1:0";
  auto server = net::Server::Create(loops, metrics, std::move(options));
  CHECK(server.ok());
  return (*server)->endpoint();
}

// A POST of `body` to /v1/traces.
inline net::HttpRequest PostTraces(std::string body, const std::string& content_type = "application/x-protobuf") {
  net::HttpRequest request;
  request.method = "POST";
  request.path = "/v1/traces";
  if (!content_type.empty()) request.headers.Add("content-type", content_type);
  request.body = Bytes(std::move(body));
  return request;
}

}  // namespace spanloom::pipeline
