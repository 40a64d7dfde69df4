// SPDX-License-Identifier: Apache-2.0
//
// The prometheus exporter: keeps the last value of every series of metrics, and shows them to Prometheus, which scrapes
// them at /metrics.

#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "config/options.h"
#include "pipeline/drops.h"
#include "pipeline/exporters/prometheus_page.h"
#include "pipeline/page_server.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

struct ResourceToTelemetryOptions {
  bool enabled = false;
  bool exclude_service_attributes = false;
  void Declare(config::OptionsReader& r);
};

enum class TranslationStrategy : uint8_t { kUnsaid, kWithSuffixes, kWithoutSuffixes };

struct PrometheusOptions {
  // The Collector's defaults.
  HttpServerOptions server = {.read_header_timeout = std::chrono::minutes(1),
                              .write_timeout = std::chrono::seconds(30),
                              .idle_timeout = std::chrono::minutes(1)};
  std::string namespace_prefix = {};
  config::StringMap const_labels = {};
  bool send_timestamps = false;
  std::chrono::nanoseconds metric_expiration = std::chrono::minutes(5);
  bool enable_open_metrics = false;
  bool add_metric_suffixes = true;  // warned of, and not used
  TranslationStrategy translation_strategy = TranslationStrategy::kUnsaid;
  bool without_scope_info = false;
  ResourceToTelemetryOptions resource_to_telemetry_conversion = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;

  [[nodiscard]] PrometheusPageOptions Page() const;
};

// Thread-safe. Never refuses a batch: points that Prometheus cannot have are dropped and counted.
class PrometheusExporter final : public Exporter {
 public:
  PrometheusExporter(const ComponentId& id, const PrometheusOptions& options, const BuildContext& context);

  // Binds. Errors: those of PageServer::Start.
  Status Start() override;
  void Stop(std::chrono::milliseconds grace) override;
  void Consume(otlp::Batch batch, Done done) override;
  [[nodiscard]] AckGrade ack_grade() const override { return AckGrade::kDelivered; }
  [[nodiscard]] std::vector<Endpoint> endpoints() const override;
  [[nodiscard]] std::vector<std::string> claims() const override;

 private:
  // On a loop; what is large is done on a worker.
  void Receive(const net::HttpRequest& request, net::HttpResponder responder);

  const std::string id_;
  const PrometheusOptions options_;
  const BuildContext context_;
  const std::shared_ptr<PrometheusPage> page_;  // shared with answers under way
  DropCounter drops_;
  Counter& sent_;
  const ScopedGauge series_gauge_;
  PageServer server_;
};

// Exporter type "prometheus".
void RegisterPrometheusExporter(Registry& registry);

}  // namespace spanloom::pipeline
