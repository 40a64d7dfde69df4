// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/load_balancing.h"

#include <absl/algorithm/container.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "net/loop_call.h"
#include "net/name_lookup.h"
#include "pipeline/exporters/export_counters.h"
#include "pipeline/joined_done.h"

namespace spanloom::pipeline {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kNoBackendDelay{1'000};  // until a batch is worth another try; guess

constexpr ComponentDoc kDoc = {
    .words =
        "Sends all spans of a trace (or of a service, or with the same attributes) to the same one of several backends "
        "over OTLP/gRPC, so that those behind it can decide about whole traces. The ring of backends is that of the "
        "Collector's exporter of this name, so both may send to the same backends. When a backend comes or goes, about "
        "one in as many traces as there are backends moves; what a backend that goes still holds is sent to it for up "
        "to 30 seconds. Each backend has a queue of its own (protocol.otlp.sending_queue); for what waits to move "
        "when a backend goes, give the exporter a sending_queue and switch that of protocol.otlp off.",
    .example = R"(exporters:
  load_balancing:
    protocol:
      otlp:
        tls:
          insecure: true
    resolver:
      dns:
        hostname: samplers.monitoring.svc.cluster.local
service:
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [load_balancing]
)",
};

Counter& ResolverCounter(MetricRegistry& metrics, std::string_view name, std::string_view help,
                         const std::string& resolver) {
  return metrics.GetCounter(name, help, {{"resolver", resolver}});
}

Counter& ResolutionCounter(MetricRegistry& metrics, const std::string& resolver, const char* success) {
  return metrics.GetCounter("otelcol_loadbalancer_num_resolutions",
                            "Number of times the resolver has triggered new resolutions.",
                            {{"resolver", resolver}, {"success", success}});
}

}  // namespace

void BackendOtlpOptions::Declare(config::OptionsReader& r) {
  r.Field("endpoint", endpoint, "Taken, without effect: resolver says where the backends are.");
  DeclareAllButEndpoint(r);
}

Status BackendOtlpOptions::Validate() const {
  if (sending_queue.is_on_disk()) {
    return absl::InvalidArgumentError(
        "sending_queue: storage is for the sending_queue of the exporter itself: what waits on the disk for a backend "
        "that is gone would never be sent");
  }
  OtlpGrpcExporterOptions one = *this;
  one.endpoint = "placeholder:4317";
  return one.Validate();
}

void BackendProtocolOptions::Declare(config::OptionsReader& r) {
  r.Field("otlp", otlp, "How each backend is reached: the options of otlp_grpc.");
}

void StaticResolverOptions::Declare(config::OptionsReader& r) {
  r.Field("hostnames", hostnames, "The backends, HOST:PORT each; port 4317 if it is left out.");
}

Status StaticResolverOptions::Validate() const {
  if (hostnames.empty()) return absl::InvalidArgumentError("hostnames: no backend is given");
  for (const std::string& hostname : hostnames) {
    if (hostname.empty()) return absl::InvalidArgumentError("hostnames: a name is empty");
    RETURN_IF_ERROR(Annotate(GrpcTarget(WithOtlpPort(hostname)).status(), "hostnames"));
  }
  return absl::OkStatus();
}

void BackendResolverOptions::Declare(config::OptionsReader& r) {
  r.Field("static", fixed, "A list of backends that stays as it is.");
  r.Field("dns", dns, "Backends are the addresses of a name, looked up again and again.");
  r.Field("k8s", k8s, "Backends are the endpoints of a Service of the cluster, as they come and go.");
  r.Unsupported("aws_cloud_map", "write dns with the name that Cloud Map gives the service in its DNS namespace");
}

Status BackendResolverOptions::Validate() const {
  const int resolvers = int{fixed.has_value()} + int{dns.has_value()} + int{k8s.has_value()};
  if (resolvers > 1) return absl::InvalidArgumentError("only one resolver should be specified");
  if (resolvers == 1) return absl::OkStatus();
  return absl::InvalidArgumentError("no resolver is specified: write static, dns or k8s");
}

void LoadBalancingOptions::Declare(config::OptionsReader& r) {
  static constexpr std::pair<std::string_view, RoutingKey> kKeys[] = {{"traceID", RoutingKey::kTraceId},
                                                                      {"service", RoutingKey::kService},
                                                                      {"attributes", RoutingKey::kAttributes},
                                                                      {"", RoutingKey::kTraceId}};
  r.Choice<RoutingKey>("routing_key", routing_key, kKeys, "What spans that go to the same backend have in common.");
  r.Field("routing_attributes", routing_attributes,
          "Of routing_key attributes: attributes of the resource, the scope or the span; or span.kind, span.name.");
  r.Field("protocol", protocol, "How the backends are reached.");
  r.Field("resolver", resolver, "Where the backends are.");
  r.Field("timeout", timeout, "Longest time for one attempt, if it is shorter than protocol.otlp.timeout; 0 for none.");
  r.Field("sending_queue", sending_queue, "What waits in front of all backends; nothing if it is left out.");
  r.Field("retry_on_failure", retry_on_failure,
          "What happens when a backend fails for the moment, after its own retries; nothing if it is left out.");
}

Status LoadBalancingOptions::Validate() const {
  RETURN_IF_ERROR(Annotate(resolver.Validate(), "resolver"));
  const bool by_attributes = routing_key == RoutingKey::kAttributes;
  if (by_attributes && routing_attributes.empty()) {
    return absl::InvalidArgumentError("routing_attributes must be specified when routing_key is attributes");
  }
  if (!by_attributes && !routing_attributes.empty()) {
    return absl::InvalidArgumentError("routing_attributes can only be used when routing_key is attributes");
  }
  return absl::OkStatus();
}

LoadBalancingExporter::LoadBalancingExporter(const ComponentId& id, const LoadBalancingOptions& options,
                                             const BuildContext& context, const DnsWatch::LookUp& look_up,
                                             const kube::Surroundings& surroundings)
    : id_(id.ToString()),
      options_(options),
      resolver_name_(options.resolver.dns   ? "dns"
                     : options.resolver.k8s ? "k8s"
                                            : "static"),
      // Without auth nothing of an extension is to be kept.
      roles_(options.protocol.otlp.auth ? *context.extensions : ExtensionRoles::None()),
      context_(context),
      loop_(context.loops.Next()),
      failure_log_(context.clock),
      resolved_(ResolutionCounter(context.metrics, resolver_name_, "true")),
      unresolved_(ResolutionCounter(context.metrics, resolver_name_, "false")),
      updates_(ResolverCounter(context.metrics, "otelcol_loadbalancer_num_backend_updates",
                               "Number of times the list of backends was updated.", resolver_name_)),
      sent_(SentItems(context.metrics, id_)),
      send_failed_(SendFailedItems(context.metrics, id_)),
      pool_([this](const std::string& endpoint) { return MakeBackend(endpoint); }, context),
      watch_(options.resolver.dns.value_or(DnsResolverOptions{}), look_up,
             [this](const auto& endpoints) { static_cast<void>(OnOutcome(endpoints)); }),
      k8s_watch_(options.resolver.k8s
                     ? std::make_unique<K8sWatch>(*options.resolver.k8s, surroundings, context,
                                                  [this](const auto& found) { static_cast<void>(OnOutcome(found)); })
                     : nullptr),
      queue_(MakeQueue()),
      backends_gauge_(context.metrics.AddGauge(
          "otelcol_loadbalancer_num_backends", "Current number of backends in use.", {{"resolver", resolver_name_}},
          [this] { return static_cast<double>(pool_.table()->backends().size()); })) {}

LoadBalancingExporter::~LoadBalancingExporter() {
  watch_.Stop();
  k8s_watch_.reset();
}

std::unique_ptr<Exporter> LoadBalancingExporter::MakeBackend(const std::string& endpoint) const {
  OtlpGrpcExporterOptions options = options_.protocol.otlp;
  options.endpoint = endpoint;
  if (options_.timeout.count() > 0) options.timeout = std::min(options.timeout, options_.timeout);
  BuildContext context = context_;
  context.extensions = &roles_;
  const ComponentId id{"otlp_grpc", StrCat(id_, "_", endpoint)};  // as the Collector's
  return std::make_unique<OtlpGrpcExporter>(id, std::move(options), context);
}

std::unique_ptr<SendingQueue> LoadBalancingExporter::MakeQueue() {
  const bool queues = options_.sending_queue && options_.sending_queue->enabled;
  const bool retries = options_.retry_on_failure && options_.retry_on_failure->enabled;
  if (!queues && !retries) return nullptr;
  SendingQueueOptions queue = options_.sending_queue.value_or(SendingQueueOptions{});
  queue.enabled = queues;
  RetryOptions retry = options_.retry_on_failure.value_or(RetryOptions{});
  retry.enabled = retries;
  // Each part is compressed for its backend.
  auto encoder = std::make_shared<RequestEncoder>(net::Compression::kNone);
  return std::make_unique<SendingQueue>(
      id_, std::move(encoder), queue, retry, context_, loop_,
      [this](const ExportRequest& request, SendDone done) { SendOnce(request, std::move(done)); });
}

Status LoadBalancingExporter::Start() {
  RETURN_IF_ERROR(StartResolver());
  return queue_ == nullptr ? absl::OkStatus() : queue_->Start();
}

Status LoadBalancingExporter::StartResolver() {
  if (k8s_watch_ != nullptr) return k8s_watch_->Start();
  if (options_.resolver.dns) {
    watch_.Start();
    return absl::OkStatus();
  }
  std::vector<std::string> hostnames = options_.resolver.fixed->hostnames;
  absl::c_sort(hostnames);
  return OnOutcome(hostnames);
}

Status LoadBalancingExporter::OnOutcome(const StatusOr<std::vector<std::string>>& endpoints) {
  (endpoints.ok() ? resolved_ : unresolved_).Add(1);
  if (!endpoints.ok()) {
    if (pool_.table()->ring().empty()) context_.status.ReportRecoverable(endpoints.status());
    if (const auto times = failure_log_.Admit(1)) {
      Log(LogLevel::kWarn, "failed to resolve the backends; those that are known stay",
          {{"exporter", id_}, {"times", *times}, {"error", StdView(endpoints.status().message())}});
    }
    return endpoints.status();
  }
  if (*endpoints == endpoints_) return absl::OkStatus();
  const Status status = pool_.Update(*endpoints);
  updates_.Add(1);
  Log(LogLevel::kInfo, "the backends have changed", {{"exporter", id_}, {"backends", absl::StrJoin(*endpoints, ", ")}});
  if (status.ok()) {
    endpoints_ = *endpoints;
    context_.status.ReportOk();  // whatever those that are gone have said
    return status;
  }
  context_.status.ReportRecoverable(status);
  Log(LogLevel::kError, "a backend can't be used", {{"exporter", id_}, {"error", StdView(status.message())}});
  return status;
}

void LoadBalancingExporter::Consume(otlp::Batch batch, Done done) {
  if (queue_ != nullptr) return queue_->Consume(batch, std::move(done));
  const size_t spans = batch.span_count();
  Route(batch, [&sent = sent_, &failed = send_failed_, spans, done = std::move(done)](Status status) mutable {
    (status.ok() ? sent : failed).Add(spans);
    std::move(done)(std::move(status));
  });
}

void LoadBalancingExporter::Route(const otlp::Batch& batch, Done done) {
  const std::shared_ptr<const BackendPool::Table> table = pool_.table();
  if (table->ring().empty()) {
    return std::move(done)(
        WithRetryDelay(absl::UnavailableError(StrCat("exporter ", id_, ": no backend is known")), kNoBackendDelay));
  }
  TraceRouter router(options_.routing_key, options_.routing_attributes, table->ring());
  const std::vector<otlp::Batch> parts = batch.Split(
      table->backends().size(), [&](const otlp::SpanContext& context) { return router.EndpointOf(context); });
  const auto parts_left = static_cast<size_t>(absl::c_count_if(parts, [](const auto& part) { return !part.empty(); }));
  if (parts_left == 0) return std::move(done)(absl::OkStatus());
  std::vector<Done> dones = JoinedDone(parts_left, std::move(done));
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].empty()) continue;
    table->backends()[i]->Offer(parts[i], std::move(dones.back()));
    dones.pop_back();
  }
}

void LoadBalancingExporter::SendOnce(const ExportRequest& request, SendDone done) {
  otlp::Slice slice(request.message.Joined(), request.spans);
  slice.set_origin(request.origin);
  Route(otlp::Batch(std::move(slice)), [&loop = loop_, done = std::move(done)](Status status) mutable {
    loop.Post([status = std::move(status), done = std::move(done)]() mutable {
      if (!status.ok()) return std::move(done)(std::move(status));
      std::move(done)(size_t{0});  // what a backend rejects, its own exporter counts
    });
  });
}

void LoadBalancingExporter::Stop(milliseconds grace) {
  const int64_t deadline_ns = context_.clock.SteadyNs() + std::chrono::nanoseconds(grace).count();
  watch_.Stop();
  if (k8s_watch_ != nullptr) k8s_watch_->Stop();
  if (queue_ != nullptr) queue_->Stop(grace / 2);
  const std::chrono::nanoseconds left(std::max<int64_t>(0, deadline_ns - context_.clock.SteadyNs()));
  pool_.Stop(std::chrono::duration_cast<milliseconds>(left));
  // Attempts of the queue that were cut off are answered as tasks on its loop.
  RunOn(loop_, [] {});
}

void LoadBalancingExporter::HurryStop() {
  if (queue_ != nullptr) queue_->HurryStop();
  pool_.HurryStop();
}

std::vector<std::string> LoadBalancingExporter::claims() const {
  return queue_ == nullptr ? std::vector<std::string>() : queue_->claims();
}

StatusOr<std::unique_ptr<Admission>> LoadBalancingExporter::Reserve(const otlp::Batch& batch) {
  return queue_ == nullptr ? Exporter::Reserve(batch) : queue_->Reserve(batch);
}

void LoadBalancingExporter::GroupAs(const std::optional<Grouping>& grouping) {
  if (queue_ != nullptr) queue_->GroupAs(grouping);
}

AckGrade LoadBalancingExporter::ack_grade() const {
  if (options_.protocol.otlp.sending_queue.answers_early()) return AckGrade::kQueued;
  return queue_ == nullptr ? AckGrade::kDelivered : queue_->ack_grade();
}

std::string LoadBalancingExporter::safety() const {
  return queue_ == nullptr ? "" : queue_->safety();
}

HoldLimits LoadBalancingExporter::hold_limits() const {
  const SendingQueueOptions& each = options_.protocol.otlp.sending_queue;
  const bool queues = queue_ != nullptr && queue_->ack_grade() == AckGrade::kQueued;
  if (!each.answers_early()) return queues ? queue_->hold_limits() : HoldLimits{};
  // Queues of two kinds, or of nobody knows how many backends, have no limit together.
  if (queues || !options_.resolver.fixed) return {};
  const uint64_t backends = options_.resolver.fixed->hostnames.size();
  HoldLimits limits{.bytes = backends * kQueueBytesMax};
  if (each.sizer == SendingQueueOptions::Sizer::kRequests) {
    limits.requests = backends * static_cast<uint64_t>(each.queue_size);
  }
  return limits;
}

uint64_t LoadBalancingExporter::undelivered_spans() const {
  return pool_.undelivered_spans() + (queue_ == nullptr ? 0 : queue_->undelivered_spans());
}

void RegisterLoadBalancingExporter(Registry& registry) {
  registry.exporters.Add<LoadBalancingOptions>(
      "load_balancing", kDoc,
      [](const ComponentId& id, const LoadBalancingOptions& options, const BuildContext& context) {
        net::Loop& loop = context.loops.Next();
        return std::make_unique<LoadBalancingExporter>(
            id, options, context,
            [&loop](const std::string& host, net::LookedUp done) { net::LookUpName(loop, host, std::move(done)); });
      });
  registry.exporters.AddAlias("loadbalancing", "load_balancing");
}

}  // namespace spanloom::pipeline
