// SPDX-License-Identifier: Apache-2.0
//
// The otlp_grpc exporter (formerly otlp): sends batches to another OTLP receiver, such as Jaeger or Tempo, over gRPC.
// Specification: OTLP 1.x, "OTLP/gRPC".

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/options.h"
#include "net/client.h"
#include "net/compression.h"
#include "pipeline/auth_options.h"
#include "pipeline/call_metrics.h"
#include "pipeline/exporters/authorizer.h"
#include "pipeline/exporters/queue.h"
#include "pipeline/exporters/retry.h"
#include "pipeline/log_limiter.h"
#include "pipeline/registry.h"
#include "pipeline/tls_options.h"

namespace spanloom::pipeline {

struct ClientKeepaliveOptions {
  std::chrono::nanoseconds time = std::chrono::nanoseconds(0);
  std::chrono::nanoseconds timeout = std::chrono::seconds(20);  // gRPC's default
  bool permit_without_stream = false;
  void Declare(config::OptionsReader& r);
};

struct OtlpGrpcExporterOptions {
  std::string endpoint = {};
  ClientTlsOptions tls = {};
  net::Compression compression = net::Compression::kGzip;
  config::StringMap headers = {};
  std::optional<ClientKeepaliveOptions> keepalive = {};
  net::GrpcBalancing balancer_name = net::GrpcBalancing::kRoundRobin;  // the Collector's default
  bool wait_for_ready = false;
  std::string authority = {};
  std::string user_agent = {};
  std::chrono::nanoseconds timeout = std::chrono::seconds(5);
  SendingQueueOptions sending_queue = {};
  RetryOptions retry_on_failure = {};
  std::optional<AuthOptions> auth = {};
  void Declare(config::OptionsReader& r);
  void DeclareAllButEndpoint(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

// `endpoint` without a scheme that says nothing about where (http://, https://, dns:///). kInvalidArgument if it is
// empty or has no port.
StatusOr<std::string> GrpcTarget(const std::string& endpoint);

// Thread-safe; its connection and queue live on one loop.
class OtlpGrpcExporter final : public Exporter {
 public:
  OtlpGrpcExporter(const ComponentId& id, OtlpGrpcExporterOptions options, const BuildContext& context);
  ~OtlpGrpcExporter() override;

  // Connects with the first request.
  Status Start() override;
  void Stop(std::chrono::milliseconds grace) override;
  void HurryStop() override { queue_.HurryStop(); }
  [[nodiscard]] std::vector<std::string> claims() const override { return queue_.claims(); }
  // Encodes and compresses on the caller's thread, unless the queue is full.
  void Consume(otlp::Batch batch, Done done) override;
  StatusOr<std::unique_ptr<Admission>> Reserve(const otlp::Batch& batch) override { return queue_.Reserve(batch); }
  void GroupAs(const std::optional<Grouping>& grouping) override { queue_.GroupAs(grouping); }
  [[nodiscard]] AckGrade ack_grade() const override { return queue_.ack_grade(); }
  [[nodiscard]] std::string safety() const override { return queue_.safety(); }
  [[nodiscard]] HoldLimits hold_limits() const override { return queue_.hold_limits(); }
  [[nodiscard]] uint64_t undelivered_spans() const override { return queue_.undelivered_spans(); }

 private:
  [[nodiscard]] StatusOr<net::GrpcChannelOptions> ChannelOptions() const;
  void SendOnce(const ExportRequest& request, SendDone done);

  const std::string id_;
  const OtlpGrpcExporterOptions options_;
  const std::string user_agent_;
  const otlp::Signal signal_;
  const net::ProxyRules& proxies_;
  const Authorizer authorizer_;
  net::Loop& loop_;
  const Clock& clock_;
  const std::shared_ptr<LogLimiter> partial_log_;  // shared with calls under way
  const std::shared_ptr<CallMetrics> calls_;       // the same; null unless metrics are detailed
  std::unique_ptr<net::GrpcChannel> channel_;      // bound to loop_; set between Start and Stop
  const std::string_view method_;                  // of the signal
  SendingQueue queue_;
};

// Exporter type "otlp_grpc", and its old name "otlp".
void RegisterOtlpGrpcExporter(Registry& registry);

}  // namespace spanloom::pipeline
