// SPDX-License-Identifier: Apache-2.0
//
// For tests: the backend behind an exporter, a real server of OTLP/gRPC and OTLP/HTTP on a free port that keeps the
// names of the spans it is sent.

#pragma once

#include <absl/base/thread_annotations.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "net/loop.h"
#include "net/server.h"
#include "otlp/batch.h"
#include "otlp/json/transcode.h"
#include "otlp/request.h"
#include "otlp/validate.h"
#include "pipeline/testing/fake_consumer.h"

namespace spanloom::pipeline {

// Thread-safe.
class FakeBackend {
 public:
  // `endpoint`: port 0 picks a free one.
  FakeBackend(net::LoopPool& loops, MetricRegistry& metrics, const std::string& endpoint = "127.0.0.1:0") {
    net::ServerOptions options;
    options.name = "backend";
    options.endpoint = endpoint;
    options.grpc.emplace("/opentelemetry.proto.collector.trace.v1.TraceService/Export",
                         [this](net::GrpcRequest request, net::GrpcResponder responder) {
                           std::move(responder).Respond(Answer(std::move(request)));
                         });
    options.http = [this](const net::HttpRequest& request, net::HttpResponder responder) {
      std::move(responder).Respond(AnswerHttp(request));
    };
    auto server = net::Server::Create(loops, metrics, std::move(options));
    CHECK(server.ok());
    server_ = *std::move(server);
  }
  ~FakeBackend() { server_->Stop(std::chrono::milliseconds(0)); }

  [[nodiscard]] const std::string& endpoint() const { return server_->endpoint(); }

  // Requests from now on.
  void AnswerWith(StatusOr<std::string> response) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    response_ = std::move(response);
  }

  // HTTP requests from now on.
  void AnswerHttpWith(net::HttpResponse response) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    http_response_ = std::move(response);
  }

  // The last one.
  [[nodiscard]] net::HttpRequest http_request() const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    return http_request_;
  }
  [[nodiscard]] std::vector<std::string> names() const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    return names_;
  }
  [[nodiscard]] net::HttpHeaders metadata() const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    return metadata_;
  }
  [[nodiscard]] size_t requests() const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    return requests_;
  }
  bool AwaitSpans(size_t count) const ABSL_LOCKS_EXCLUDED(mutex_) {
    const auto there = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return names_.size() >= count; };
    MutexLock lock(mutex_);
    return mutex_.AwaitFor(there, kPatience);
  }
  bool AwaitRequests(size_t count) const ABSL_LOCKS_EXCLUDED(mutex_) {
    const auto there = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return requests_ >= count; };
    MutexLock lock(mutex_);
    return mutex_.AwaitFor(there, kPatience);
  }

 private:
  StatusOr<Bytes> Answer(net::GrpcRequest request) ABSL_LOCKS_EXCLUDED(mutex_) {
    const auto stats = otlp::ValidateTraces(request.message.view());
    if (!stats.ok()) return stats.status();
    MutexLock lock(mutex_);
    ++requests_;
    metadata_ = request.metadata;
    if (!response_.ok()) return response_.status();
    const otlp::Batch batch(otlp::Slice(request.message, stats->spans));
    for (std::string& name : NamesOf(batch)) names_.push_back(std::move(name));
    return Bytes(*response_);
  }

  // Keeps the spans if it is to answer with success.
  net::HttpResponse AnswerHttp(const net::HttpRequest& request) ABSL_LOCKS_EXCLUDED(mutex_) {
    const bool is_json = request.headers.Get("content-type") == "application/json";
    StatusOr<std::string> wire = std::string(request.body.view());
    if (is_json) wire = otlp::TranscodeTracesJson(request.body.view());
    CHECK(wire.ok());
    MutexLock lock(mutex_);
    ++requests_;
    http_request_ = request;
    if (http_response_.status > 299) return http_response_;
    const StatusOr<otlp::Slice> slice = otlp::ReadTraces(Bytes(*std::move(wire)));
    CHECK(slice.ok());
    for (std::string& name : NamesOf(otlp::Batch(*slice))) names_.push_back(std::move(name));
    return http_response_;
  }

  mutable Mutex mutex_;
  net::HttpResponse http_response_ ABSL_GUARDED_BY(mutex_);
  net::HttpRequest http_request_ ABSL_GUARDED_BY(mutex_);
  StatusOr<std::string> response_ ABSL_GUARDED_BY(mutex_) = std::string();
  std::vector<std::string> names_ ABSL_GUARDED_BY(mutex_);
  net::HttpHeaders metadata_ ABSL_GUARDED_BY(mutex_);
  size_t requests_ ABSL_GUARDED_BY(mutex_) = 0;
  std::unique_ptr<net::Server> server_;
};

}  // namespace spanloom::pipeline
