// SPDX-License-Identifier: Apache-2.0
//
// The load_balancing exporter (formerly loadbalancing): sends all spans of a trace, a service or a set of attributes to
// the same one of several backends, over OTLP/gRPC. What stands behind it can so decide about whole traces.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/options.h"
#include "pipeline/exporters/backend_pool.h"
#include "pipeline/exporters/dns_watch.h"
#include "pipeline/exporters/k8s_watch.h"
#include "pipeline/exporters/otlp_grpc.h"
#include "pipeline/exporters/queue.h"
#include "pipeline/exporters/retry.h"
#include "pipeline/exporters/trace_routing.h"
#include "pipeline/log_limiter.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

// The keys of otlp_grpc, for all backends.
struct BackendOtlpOptions : OtlpGrpcExporterOptions {
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

struct BackendProtocolOptions {
  BackendOtlpOptions otlp = {};
  void Declare(config::OptionsReader& r);
};

struct StaticResolverOptions {
  std::vector<std::string> hostnames = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

struct BackendResolverOptions {
  std::optional<StaticResolverOptions> fixed = {};
  std::optional<DnsResolverOptions> dns = {};
  std::optional<K8sResolverOptions> k8s = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

struct LoadBalancingOptions {
  RoutingKey routing_key = RoutingKey::kTraceId;
  std::vector<std::string> routing_attributes = {};
  BackendProtocolOptions protocol = {};
  BackendResolverOptions resolver = {};
  std::chrono::nanoseconds timeout = std::chrono::nanoseconds(0);  // 0: that of protocol.otlp
  std::optional<SendingQueueOptions> sending_queue = {};
  std::optional<RetryOptions> retry_on_failure = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

// Thread-safe. A batch is answered when each of its backends has answered for its part: with OK, or the first error.
// After an error that may be repeated, what other backends took is sent to them again.
class LoadBalancingExporter final : public Exporter {
 public:
  LoadBalancingExporter(const ComponentId& id, const LoadBalancingOptions& options, const BuildContext& context,
                        const DnsWatch::LookUp& look_up,
                        const kube::Surroundings& surroundings = kube::Surroundings::OfThisProcess());
  ~LoadBalancingExporter() override;

  // With names of a fixed list, errors of their exporters; with a Service, those of K8sWatch::Start. What can't be
  // resolved yet is none.
  Status Start() override;
  void Stop(std::chrono::milliseconds grace) override;
  void HurryStop() override;
  [[nodiscard]] std::vector<std::string> claims() const override;
  // kUnavailable with a delay while no backend is known.
  void Consume(otlp::Batch batch, Done done) override;
  StatusOr<std::unique_ptr<Admission>> Reserve(const otlp::Batch& batch) override;
  void GroupAs(const std::optional<Grouping>& grouping) override;
  // kStored with a queue on the disk, if backends have no queues that spans leave it for.
  [[nodiscard]] AckGrade ack_grade() const override;
  [[nodiscard]] std::string safety() const override;
  [[nodiscard]] HoldLimits hold_limits() const override;
  [[nodiscard]] uint64_t undelivered_spans() const override;

 private:
  [[nodiscard]] std::unique_ptr<Exporter> MakeBackend(const std::string& endpoint) const;
  [[nodiscard]] std::unique_ptr<SendingQueue> MakeQueue();
  Status StartResolver();
  // Splits `batch` and offers each part to its backend.
  void Route(const otlp::Batch& batch, Done done);
  void SendOnce(const ExportRequest& request, SendDone done);
  // On a watch's thread, or during Start.
  Status OnOutcome(const StatusOr<std::vector<std::string>>& endpoints);

  const std::string id_;
  const LoadBalancingOptions options_;
  const std::string resolver_name_;  // "static", "dns", "k8s"
  const ExtensionRoles roles_;       // for exporters that are made later
  const BuildContext context_;
  net::Loop& loop_;  // of the queue
  LogLimiter failure_log_;
  Counter& resolved_;
  Counter& unresolved_;
  Counter& updates_;
  Counter& sent_;
  Counter& send_failed_;
  std::vector<std::string> endpoints_;  // the last ones that all have an exporter; of whoever calls OnOutcome
  BackendPool pool_;
  DnsWatch watch_;
  std::unique_ptr<K8sWatch> k8s_watch_;  // null without a Service
  std::unique_ptr<SendingQueue> queue_;  // null without one of its own
  ScopedGauge backends_gauge_;
};

// Exporter type "load_balancing", and its old name "loadbalancing".
void RegisterLoadBalancingExporter(Registry& registry);

}  // namespace spanloom::pipeline
