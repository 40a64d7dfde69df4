// SPDX-License-Identifier: Apache-2.0
//
// For tests: the backend behind an exporter, a real gRPC server on a free port that keeps the names of the spans it is
// sent.

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

  mutable Mutex mutex_;
  StatusOr<std::string> response_ ABSL_GUARDED_BY(mutex_) = std::string();
  std::vector<std::string> names_ ABSL_GUARDED_BY(mutex_);
  net::HttpHeaders metadata_ ABSL_GUARDED_BY(mutex_);
  size_t requests_ ABSL_GUARDED_BY(mutex_) = 0;
  std::unique_ptr<net::Server> server_;
};

}  // namespace spanloom::pipeline
