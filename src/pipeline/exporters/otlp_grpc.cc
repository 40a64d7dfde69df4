// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/otlp_grpc.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/strip.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "net/loop_call.h"
#include "otlp/export_service.h"
#include "otlp/partial_success.h"
#include "pipeline/exporters/export_counters.h"
#include "pipeline/exporters/partial_success_log.h"
#include "pipeline/exporters/user_agent.h"

namespace spanloom::pipeline {
namespace {

using std::chrono::milliseconds;

constexpr ComponentDoc kDoc = {
    .words =
        "Sends spans, metrics and logs to another backend over OTLP/gRPC. What waits for it is queued in memory, and "
        "sent again while "
        "the "
        "backend fails for the moment.",
    .example = R"(exporters:
  otlp_grpc/jaeger:
    endpoint: jaeger-collector:4317
    tls:
      insecure: true
service:
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [otlp_grpc/jaeger]
)",
};

constexpr milliseconds kKeepaliveTimeMin{10'000};  // grpc-go's, which the Collector has

net::GrpcKeepalive KeepaliveOf(const ClientKeepaliveOptions& options) {
  const auto time = std::chrono::ceil<milliseconds>(options.time);
  return {.time = time.count() == 0 ? time : std::max(time, kKeepaliveTimeMin),
          .timeout = std::chrono::ceil<milliseconds>(options.timeout),
          .permit_without_stream = options.permit_without_stream};
}

net::HttpHeaders MetadataOf(const config::StringMap& headers) {
  net::HttpHeaders metadata;
  for (const auto& [name, value] : headers) metadata.Add(absl::AsciiStrToLower(name), value);
  return metadata;
}

}  // namespace

void ClientKeepaliveOptions::Declare(config::OptionsReader& r) {
  r.Field("time", time, "How long the destination may be silent before it is pinged, at least 10s; 0 means no pings.");
  r.Field("timeout", timeout, "How long to wait for the answer before the connection is given up.");
  r.Field("permit_without_stream", permit_without_stream, "Whether to ping while no request is under way.");
}

void OtlpGrpcExporterOptions::Declare(config::OptionsReader& r) {
  r.Field("endpoint", endpoint, "Destination, HOST:PORT or unix:/PATH.");
  DeclareAllButEndpoint(r);
}

void OtlpGrpcExporterOptions::DeclareAllButEndpoint(config::OptionsReader& r) {
  static constexpr std::pair<std::string_view, net::GrpcBalancing> kBalancers[] = {
      {"round_robin", net::GrpcBalancing::kRoundRobin},
      {"pick_first", net::GrpcBalancing::kPickFirst},
      {"", net::GrpcBalancing::kPickFirst}};
  static constexpr std::pair<std::string_view, net::Compression> kCompressions[] = {
      {"gzip", net::Compression::kGzip},
      {"zstd", net::Compression::kZstd},
      {"snappy", net::Compression::kSnappyFramed},
      {"none", net::Compression::kNone},
      {"", net::Compression::kNone}};
  r.Field("tls", tls, "How the connection is secured: by TLS, unless it says insecure: true.");
  r.Choice<net::Compression>("compression", compression, kCompressions, "How requests are compressed.");
  r.Field("headers", headers, "Metadata sent with every request.");
  r.Field("keepalive", keepalive, "Pings of a connection that is silent; none if it is left out.");
  r.Choice<net::GrpcBalancing>("balancer_name", balancer_name, kBalancers,
                               "What to do with several addresses: take turns, or stay with the first that works.",
                               config::Letters::kAnyCase);
  r.Field("wait_for_ready", wait_for_ready,
          "Whether an attempt waits for a connection, until its timeout, instead of failing when there is none.");
  r.Field("authority", authority, "Name sent as the request's authority, in place of the endpoint.");
  r.Field("user_agent", user_agent, "Name sent first in user-agent, in place of `spanloom/VERSION (linux/amd64)`.");
  for (const char* name : {"read_buffer_size", "write_buffer_size"}) {
    r.Unsupported(name, "remove it; buffers have the size that is needed", "524288");
  }
  r.Unsupported("middlewares", "remove it; there are no extensions of that kind");
  r.Field("timeout", timeout, "Longest time for one attempt.");
  r.Field("sending_queue", sending_queue, "What waits for the destination.");
  r.Field("retry_on_failure", retry_on_failure, "What happens when it fails for the moment.");
  r.Field("auth", auth, "What requests show to be let in.");
}

Status OtlpGrpcExporterOptions::Validate() const {
  RETURN_IF_ERROR(GrpcTarget(endpoint).status());
  return Annotate(net::ValidateMetadata(MetadataOf(headers)), "headers");
}

StatusOr<std::string> GrpcTarget(const std::string& endpoint) {
  absl::string_view target = endpoint;
  if (target.empty()) return absl::InvalidArgumentError("requires a non-empty \"endpoint\"");
  absl::ConsumePrefix(&target, "http://");
  absl::ConsumePrefix(&target, "https://");
  absl::ConsumePrefix(&target, "dns:///");
  absl::ConsumeSuffix(&target, "/");
  const size_t colon = target.rfind(':');
  const size_t bracket = target.rfind(']');
  const bool has_port = colon != absl::string_view::npos && colon + 1 < target.size() &&
                        (bracket == absl::string_view::npos || bracket < colon);
  if (!has_port) return absl::InvalidArgumentError(StrCat("endpoint: address ", target, ": missing port in address"));
  return std::string(target);
}

OtlpGrpcExporter::OtlpGrpcExporter(const ComponentId& id, OtlpGrpcExporterOptions options, const BuildContext& context)
    : id_(id.ToString()),
      options_(std::move(options)),
      user_agent_(options_.user_agent.empty() ? UserAgentOf(context) : options_.user_agent),
      signal_(context.signal),
      proxies_(context.proxies),
      authorizer_(options_.auth, context),
      loop_(context.loops.Next()),
      clock_(context.clock),
      partial_log_(std::make_shared<LogLimiter>(context.clock)),
      calls_(CallMetrics::Create(context.metrics)),
      method_(otlp::ExportMethod(context.signal)),
      queue_(id_, std::make_shared<RequestEncoder>(options_.compression, RequestEncoding::kProtobuf, context.signal),
             options_.sending_queue, options_.retry_on_failure,
             WithDestination(context, GrpcTarget(options_.endpoint).value_or("")), loop_,
             [this](const ExportRequest& request, SendDone done) { SendOnce(request, std::move(done)); }) {}

OtlpGrpcExporter::~OtlpGrpcExporter() {
  RunOn(loop_, [this] { channel_.reset(); });
}

StatusOr<net::GrpcChannelOptions> OtlpGrpcExporter::ChannelOptions() const {
  net::GrpcChannelOptions channel;
  ASSIGN_OR_RETURN(channel.endpoint, GrpcTarget(options_.endpoint));
  channel.tls = options_.tls.Effective();
  // As in the Collector, this scheme means TLS whatever the section says.
  if (options_.endpoint.starts_with("https://")) channel.tls = options_.tls.settings;
  channel.user_agent = user_agent_;
  channel.authority = options_.authority;
  channel.balancing = options_.balancer_name;
  ASSIGN_OR_RETURN(channel.proxy, proxies_.ProxyTo(channel.endpoint, net::ProxyRules::Use::kTunnel));
  if (options_.keepalive) channel.keepalive = KeepaliveOf(*options_.keepalive);
  return channel;
}

Status OtlpGrpcExporter::Start() {
  RETURN_IF_ERROR(authorizer_.status());
  ASSIGN_OR_RETURN(net::GrpcChannelOptions channel_options, ChannelOptions());
  if (!channel_options.tls && authorizer_.needs_tls()) {
    return absl::InvalidArgumentError(StrCat("auth: what ", options_.auth->authenticator,
                                             " shows must not go in cleartext; write tls without insecure"));
  }
  Status status;
  RunOn(loop_, [&] {
    auto channel = net::GrpcChannel::Create(loop_, std::move(channel_options));
    status = channel.status();
    if (channel.ok()) channel_ = *std::move(channel);
  });
  RETURN_IF_ERROR(Annotate(status, options_.endpoint));
  return queue_.Start();
}

void OtlpGrpcExporter::Stop(milliseconds grace) {
  queue_.Stop(grace);
  // Fails the calls under way, which answers the queue.
  RunOn(loop_, [this] { channel_.reset(); });
}

void OtlpGrpcExporter::Consume(otlp::Batch batch, Done done) {
  queue_.Consume(batch, std::move(done));
}

void OtlpGrpcExporter::SendOnce(const ExportRequest& request, SendDone done) {
  net::GrpcCallOptions call;
  call.deadline = std::chrono::ceil<milliseconds>(options_.timeout);
  call.message_compression = options_.compression;
  call.wait_for_ready = options_.wait_for_ready;
  call.metadata = MetadataOf(options_.headers);
  if (const Status status = authorizer_.Authorize(request, call.metadata); !status.ok()) {
    return loop_.Post([status, done = std::move(done)]() mutable { std::move(done)(status); });
  }
  auto on_answer = [id = id_, signal = signal_, log = partial_log_, calls = calls_, method = method_,
                    server = options_.endpoint, &clock = clock_, begin_ns = clock_.SteadyNs(),
                    done = std::move(done)](const StatusOr<Bytes>& response) mutable {
    if (calls != nullptr) {
      calls->AddRpcClient(method, GrpcTarget(server).value_or(server), response.status(), clock.SteadyNs() - begin_ns);
    }
    if (!response.ok()) return std::move(done)(response.status());
    const otlp::PartialSuccess partial = otlp::ReadPartialSuccess(response->view());
    LogPartialSuccess(id, signal, partial, *log);
    std::move(done)(partial.rejected_spans);
  };
  channel_->Call(std::string(method_), request.message, std::move(call), std::move(on_answer));
}

void RegisterOtlpGrpcExporter(Registry& registry) {
  registry.exporters.Add<OtlpGrpcExporterOptions>(
      "otlp_grpc", kDoc,
      [](const ComponentId& id, OtlpGrpcExporterOptions options, const BuildContext& context) {
        return std::make_unique<OtlpGrpcExporter>(id, std::move(options), context);
      },
      EverySignal());
  registry.exporters.AddAlias("otlp", "otlp_grpc");
}

}  // namespace spanloom::pipeline
