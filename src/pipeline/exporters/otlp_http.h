// SPDX-License-Identifier: Apache-2.0
//
// The otlp_http exporter (formerly otlphttp): sends batches to another OTLP receiver over HTTP/1.1, as protobuf or
// JSON. Specification: OTLP 1.x, "OTLP/HTTP".

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
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

struct CompressionParamsOptions {
  int level = net::kDefaultLevel;
  void Declare(config::OptionsReader& r);
};

struct OtlpHttpExporterOptions {
  std::string endpoint = {};         // a URL; /v1/traces is appended
  std::string traces_endpoint = {};  // a URL, used as it is in place of the other
  std::string metrics_endpoint = {};
  std::string logs_endpoint = {};
  ClientTlsOptions tls = {};
  net::Compression compression = net::Compression::kGzip;
  CompressionParamsOptions compression_params = {};
  RequestEncoding encoding = RequestEncoding::kProtobuf;
  config::StringMap headers = {};
  std::string proxy_url = {};  // "": as BuildContext::proxies
  std::chrono::nanoseconds timeout = std::chrono::seconds(30);
  int64_t max_conns_per_host = 0;
  std::chrono::nanoseconds idle_conn_timeout = std::chrono::seconds(90);
  SendingQueueOptions sending_queue = {};
  RetryOptions retry_on_failure = {};
  std::optional<AuthOptions> auth = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
  // As it is written for `signal` alone; or "".
  [[nodiscard]] const std::string& EndpointOf(otlp::Signal signal) const;
};

// Where requests go.
struct HttpTarget {
  std::string endpoint = {};  // "host:port"
  std::string path = {};      // "/v1/traces", with what the URL asks behind "?"
  bool is_secure = false;
};

// By the signal's own endpoint, else `endpoint`. kInvalidArgument if neither is there, or if it is no URL with http://
// or https:// and a host. The ports are 80 and 443 if there is none.
StatusOr<HttpTarget> TargetOf(const OtlpHttpExporterOptions& options, otlp::Signal signal);

// Thread-safe; its connections and queue live on one loop.
class OtlpHttpExporter final : public Exporter {
 public:
  OtlpHttpExporter(const ComponentId& id, OtlpHttpExporterOptions options, const BuildContext& context);
  ~OtlpHttpExporter() override;

  // Connects with the first request.
  Status Start() override;
  void Stop(std::chrono::milliseconds grace) override;
  void HurryStop() override { queue_.HurryStop(); }
  [[nodiscard]] std::vector<std::string> claims() const override { return queue_.claims(); }
  // Encodes and compresses on the caller's thread, unless the queue is full.
  void Consume(otlp::Batch batch, Done done) override { queue_.Consume(batch, std::move(done)); }
  StatusOr<std::unique_ptr<Admission>> Reserve(const otlp::Batch& batch) override { return queue_.Reserve(batch); }
  void GroupAs(const std::optional<Grouping>& grouping) override { queue_.GroupAs(grouping); }
  [[nodiscard]] AckGrade ack_grade() const override { return queue_.ack_grade(); }
  [[nodiscard]] std::string safety() const override { return queue_.safety(); }
  [[nodiscard]] HoldLimits hold_limits() const override { return queue_.hold_limits(); }
  [[nodiscard]] uint64_t undelivered_spans() const override { return queue_.undelivered_spans(); }

 private:
  [[nodiscard]] StatusOr<std::optional<net::Proxy>> FindProxy() const;
  [[nodiscard]] net::HttpRequest RequestOf(const Bytes& message) const;
  void SendOnce(const ExportRequest& request, SendDone done);

  const std::string id_;
  const OtlpHttpExporterOptions options_;
  const std::string user_agent_;
  const otlp::Signal signal_;
  const StatusOr<HttpTarget> target_;  // an error is that of Start
  const Clock& clock_;
  const net::ProxyRules& proxies_;
  const Authorizer authorizer_;
  net::Loop& loop_;
  const std::shared_ptr<CallMetrics> calls_;       // shared with requests under way; null unless metrics are detailed
  const std::shared_ptr<LogLimiter> partial_log_;  // shared with requests under way
  std::unique_ptr<net::HttpClient> client_;        // bound to loop_; set between Start and Stop
  SendingQueue queue_;
};

// Exporter type "otlp_http", and its old name "otlphttp".
void RegisterOtlpHttpExporter(Registry& registry);

}  // namespace spanloom::pipeline
