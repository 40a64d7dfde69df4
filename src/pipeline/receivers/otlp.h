// SPDX-License-Identifier: Apache-2.0
//
// The otlp receiver: trace requests over gRPC and HTTP, answered when the pipeline has answered. Requests are checked
// once (ValidateTraces) and passed on as the bytes that came in. Specification: OTLP 1.x, and the Collector's answers
// where the specification leaves room.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/options.h"
#include "net/server.h"
#include "otlp/export_service.h"
#include "pipeline/admittance.h"
#include "pipeline/auth_options.h"
#include "pipeline/http_server_options.h"
#include "pipeline/receivers/large_requests.h"
#include "pipeline/receivers/sender_table.h"
#include "pipeline/registry.h"
#include "pipeline/tls_options.h"

namespace spanloom::pipeline {

struct KeepaliveEnforcementOptions {
  std::chrono::nanoseconds min_time = std::chrono::minutes(5);  // gRPC's default
  bool permit_without_stream = false;
  void Declare(config::OptionsReader& r);
};

// grpc-go's keepalive.ServerParameters; 0 means gRPC's default, which is for ever but for `time` and `timeout`.
struct KeepaliveParametersOptions {
  std::chrono::nanoseconds max_connection_idle{0};
  std::chrono::nanoseconds max_connection_age{0};
  std::chrono::nanoseconds max_connection_age_grace{0};
  std::chrono::nanoseconds time{0};     // 0: 2 h
  std::chrono::nanoseconds timeout{0};  // 0: 20 s
  void Declare(config::OptionsReader& r);
};

struct KeepaliveOptions {
  KeepaliveEnforcementOptions enforcement_policy;
  KeepaliveParametersOptions server_parameters;
  void Declare(config::OptionsReader& r);
};

struct OtlpGrpcOptions {
  std::string endpoint;
  ListenTransport transport = ListenTransport::kTcp;
  size_t message_bytes_max = 0;         // 0: gRPC's default, 4 MiB
  uint32_t max_concurrent_streams = 0;  // 0: the server's own limit
  KeepaliveOptions keepalive;
  bool include_metadata = false;
  std::optional<ServerTlsOptions> tls;  // unset: cleartext
  std::optional<AuthOptions> auth;      // unset: whoever may send
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

struct OtlpHttpOptions {
  HttpServerOptions server;
  std::string traces_url_path{otlp::ExportPath(otlp::Signal::kTraces)};
  std::string metrics_url_path{otlp::ExportPath(otlp::Signal::kMetrics)};
  std::string logs_url_path{otlp::ExportPath(otlp::Signal::kLogs)};
  bool include_metadata = false;
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
  // With a slash in front.
  [[nodiscard]] std::string PathOf(otlp::Signal signal) const;
};

struct OtlpProtocolsOptions {
  std::optional<OtlpGrpcOptions> grpc;
  std::optional<OtlpHttpOptions> http;
  void Declare(config::OptionsReader& r);
};

struct OtlpReceiverOptions {
  OtlpProtocolsOptions protocols;
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

class OtlpReceiver final : public Receiver {
 public:
  // Senders are counted in `senders`, which outlives it, if there is that.
  OtlpReceiver(const ComponentId& id, OtlpReceiverOptions options, const BuildContext& context, Consumer& next,
               SenderTable* senders = nullptr);
  ~OtlpReceiver() override;

  // Binds. One port serves both protocols if their endpoints are equal and it is not 0 (which picks two); its TLS is
  // that of grpc then, and kInvalidArgument says so if http has its own.
  Status Start() override;
  void Stop(std::chrono::milliseconds grace) override;

  [[nodiscard]] std::vector<Endpoint> endpoints() const override;
  [[nodiscard]] std::vector<std::string> claims() const override;

 private:
  class Intake;
  void CountCalls();
  [[nodiscard]] net::ServerOptions GrpcServer() const;
  void AddHttp(net::ServerOptions& server) const;
  using IntakesByPath = std::vector<std::pair<std::string, std::shared_ptr<Intake>>>;  // the first one of a path has it
  static void Route(const IntakesByPath& intakes, ServerAuthenticator::Attributes who, net::HttpRequest request,
                    net::HttpResponder responder);
  // Where http listens; "" without it.
  [[nodiscard]] std::string HttpAddress() const;
  void WatchListener(net::ServerOptions& server) const;
  void LogStart(std::string_view words, const net::Server& server) const;

  const std::string id_;
  const OtlpReceiverOptions options_;
  const BuildContext context_;
  const std::shared_ptr<LargeRequests> large_;  // shared with the intakes
  // Who may send; an error says why nobody can be asked. Shared with the handlers of the servers.
  StatusOr<std::shared_ptr<const Admittance>> grpc_admittance_ = Admittance::Open();
  StatusOr<std::shared_ptr<const Admittance>> http_admittance_ = Admittance::Open();
  // [signal], or empty. Shared with the handlers of the servers.
  std::vector<std::shared_ptr<Intake>> grpc_intakes_;
  std::vector<std::shared_ptr<Intake>> http_intakes_;
  std::shared_ptr<net::Server> grpc_server_;  // the same one twice if both protocols are on one port
  std::shared_ptr<net::Server> http_server_;
};

// Receiver type "otlp". Its receivers count their senders in `senders`, which outlives them, if there is that.
void RegisterOtlpReceiver(Registry& registry, SenderTable* senders = nullptr);

}  // namespace spanloom::pipeline
