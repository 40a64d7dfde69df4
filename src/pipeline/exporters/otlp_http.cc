// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/otlp_http.h"

#include <absl/strings/ascii.h>
#include <absl/strings/strip.h>

#include <utility>

#include "base/text.h"
#include "net/loop_call.h"
#include "otlp/export_service.h"
#include "otlp/http_answer.h"
#include "pipeline/exporters/export_counters.h"
#include "pipeline/exporters/partial_success_log.h"
#include "pipeline/exporters/user_agent.h"

namespace spanloom::pipeline {
namespace {

using std::chrono::milliseconds;

constexpr ComponentDoc kDoc = {
    .words =
        "Sends spans, metrics and logs to another backend over OTLP/HTTP. What waits for it is queued in memory, and "
        "sent again while "
        "the backend fails for the moment.",
    .example = R"(exporters:
  otlp_http/tempo:
    endpoint: http://tempo:4318
service:
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [otlp_http/tempo]
)",
};

constexpr size_t kConnectionsMax = 100;  // if there is no limit; guess

// "host:80" of "http://host"; nullopt if `url` has no scheme of HTTP's or no host. What is behind the host is kept.
std::optional<HttpTarget> ParseUrl(absl::string_view url) {
  HttpTarget target;
  target.is_secure = absl::ConsumePrefix(&url, "https://");
  if (!target.is_secure && !absl::ConsumePrefix(&url, "http://")) return std::nullopt;
  const size_t slash = std::min(url.find('/'), url.size());
  absl::string_view host = url.substr(0, slash);
  if (host.empty()) return std::nullopt;
  const size_t colon = host.rfind(':');
  const size_t bracket = host.rfind(']');
  const bool has_port = colon != absl::string_view::npos && (bracket == absl::string_view::npos || bracket < colon);
  target.endpoint = has_port ? std::string(host) : StrCat(host, target.is_secure ? ":443" : ":80");
  target.path = std::string(url.substr(slash));
  return target;
}

std::string_view ContentTypeOf(RequestEncoding encoding) {
  return encoding == RequestEncoding::kProtobuf ? "application/x-protobuf" : "application/json";
}

// "HOST:PORT/PATH", for counters.
std::string DestinationOf(const HttpTarget& target) {
  return StrCat(target.endpoint, std::string_view(target.path).substr(0, target.path.find('?')));
}

CallMetrics::HttpCall CallOf(const HttpTarget& target, size_t bytes) {
  return {.method = "POST",
          .version = "1.1",
          .server = target.endpoint,
          .is_secure = target.is_secure,
          .request_bytes = bytes};
}

// What is OK, though the specification has 200 alone, as in the Collector.
bool IsSuccess(int status) {
  return status >= 200 && status <= 299;
}

}  // namespace

void CompressionParamsOptions::Declare(config::OptionsReader& r) {
  r.Field("level", level,
          "Level: of gzip, zlib and deflate 1 to 9 (-2, -1 and 0 are as 1), of zstd 1 to 11 (what is outside is as the "
          "nearest); the others have none.",
          {.min = -100, .max = 100, .unit = "as the coding has them"});
}

void OtlpHttpExporterOptions::Declare(config::OptionsReader& r) {
  static constexpr std::pair<std::string_view, net::Compression> kCompressions[] = {
      {"gzip", net::Compression::kGzip},     {"zstd", net::Compression::kZstd},
      {"snappy", net::Compression::kSnappy}, {"x-snappy-framed", net::Compression::kSnappyFramed},
      {"zlib", net::Compression::kZlib},     {"deflate", net::Compression::kDeflate},
      {"lz4", net::Compression::kLz4},       {"none", net::Compression::kNone},
      {"", net::Compression::kNone}};
  static constexpr std::pair<std::string_view, RequestEncoding> kEncodings[] = {{"proto", RequestEncoding::kProtobuf},
                                                                                {"json", RequestEncoding::kJson}};
  r.Field("endpoint", endpoint, "URL of the destination; /v1/traces, /v1/metrics or /v1/logs is appended.");
  r.Field("traces_endpoint", traces_endpoint, "URL that spans go to as it stands, in place of endpoint.");
  r.Field("metrics_endpoint", metrics_endpoint, "The same for metrics.");
  r.Field("logs_endpoint", logs_endpoint, "The same for logs.");
  r.Field("tls", tls, "How an https:// connection is secured.");
  r.Choice<net::Compression>("compression", compression, kCompressions, "How requests are compressed.");
  r.Field("compression_params", compression_params, "How well they are compressed.");
  r.Choice<RequestEncoding>("encoding", encoding, kEncodings, "How requests are written: protobuf or JSON.");
  r.Field("headers", headers, "Headers sent with every request.");
  r.Field(
      "proxy_url", proxy_url,
      "URL of a proxy for all requests, http://[USER:PASSWORD@]HOST:PORT; if it is left out, HTTP_PROXY, HTTPS_PROXY "
      "and NO_PROXY in the environment say which.");
  r.Field("timeout", timeout, "Longest time for one attempt.");
  r.Field("max_conns_per_host", max_conns_per_host, "Connections at once; 0 means as many as are needed, up to 100.",
          {.min = 0, .max = 1'000, .unit = "connections"});
  r.Field("idle_conn_timeout", idle_conn_timeout, "How long a connection is kept that is not used.");
  r.Field("sending_queue", sending_queue, "What waits for the destination.");
  r.Field("retry_on_failure", retry_on_failure, "What happens when it fails for the moment.");
  r.Unsupported("profiles_endpoint", "remove it; profiles are not taken in");
  for (const char* name : {"read_buffer_size", "write_buffer_size"}) {
    r.Unsupported(name, "remove it; buffers have the size that is needed", "524288");
  }
  for (const auto& [name, harmless] : {std::pair("max_idle_conns", "100"), {"max_idle_conns_per_host", "0"}}) {
    r.Unsupported(name, "write max_conns_per_host; connections are kept until idle_conn_timeout", harmless);
  }
  for (const auto& [name, harmless] :
       {std::pair("force_attempt_http2", "true"), {"http2_read_idle_timeout", "0s"}, {"http2_ping_timeout", "0s"}}) {
    r.Unsupported(name, "remove it; requests go over HTTP/1.1, or use otlp_grpc", harmless);
  }
  r.Unsupported("disable_keep_alives", "write a short idle_conn_timeout", "false");
  r.Unsupported("middlewares", "remove it; there are no extensions of that kind");
  r.Unsupported("cookies", "remove it; answers set no cookies here");
  r.Field("auth", auth, "What requests show to be let in.");
}

Status OtlpHttpExporterOptions::Validate() const {
  if (endpoint.empty() && traces_endpoint.empty() && metrics_endpoint.empty() && logs_endpoint.empty()) {
    return absl::InvalidArgumentError("at least one endpoint must be specified (endpoint or traces_endpoint)");
  }
  for (const otlp::Signal signal : otlp::kSignals) {
    if (!endpoint.empty() || !EndpointOf(signal).empty()) RETURN_IF_ERROR(TargetOf(*this, signal).status());
  }
  if (!proxy_url.empty()) RETURN_IF_ERROR(Annotate(net::ParseProxy(proxy_url).status(), "proxy_url"));
  return Annotate(net::CheckLevel(compression, compression_params.level), "compression_params");
}

const std::string& OtlpHttpExporterOptions::EndpointOf(otlp::Signal signal) const {
  switch (signal) {
    case otlp::Signal::kTraces:
      return traces_endpoint;
    case otlp::Signal::kMetrics:
      return metrics_endpoint;
    case otlp::Signal::kLogs:
      return logs_endpoint;
  }
  return traces_endpoint;
}

StatusOr<HttpTarget> TargetOf(const OtlpHttpExporterOptions& options, otlp::Signal signal) {
  const std::string own = StrCat(otlp::SignalText(signal), "_endpoint");
  const bool is_verbatim = !options.EndpointOf(signal).empty();
  const std::string& url = is_verbatim ? options.EndpointOf(signal) : options.endpoint;
  if (url.empty()) {
    return absl::InvalidArgumentError(
        StrCat("no endpoint for ", otlp::SignalText(signal), ": write endpoint or ", own));
  }
  std::optional<HttpTarget> target = ParseUrl(url);
  if (!target) {
    return absl::InvalidArgumentError(StrCat(is_verbatim ? own : "endpoint", ": \"", url,
                                             "\" is no URL; write http://HOST:PORT or https://HOST:PORT"));
  }
  if (!is_verbatim) {
    const std::string_view path = otlp::ExportPath(signal);
    StrAppend(target->path, target->path.ends_with('/') ? path.substr(1) : path);
  }
  if (target->path.empty()) target->path = "/";
  return *std::move(target);
}

OtlpHttpExporter::OtlpHttpExporter(const ComponentId& id, OtlpHttpExporterOptions options, const BuildContext& context)
    : id_(id.ToString()),
      options_(std::move(options)),
      user_agent_(UserAgentOf(context)),
      signal_(context.signal),
      target_(TargetOf(options_, context.signal)),
      clock_(context.clock),
      proxies_(context.proxies),
      authorizer_(options_.auth, context),
      loop_(context.loops.Next()),
      calls_(CallMetrics::Create(context.metrics)),
      partial_log_(std::make_shared<LogLimiter>(context.clock)),
      queue_(id_,
             std::make_shared<RequestEncoder>(options_.compression, options_.encoding, context.signal,
                                              options_.compression_params.level),
             options_.sending_queue, options_.retry_on_failure,
             WithDestination(context, target_.ok() ? DestinationOf(*target_) : ""), loop_,
             [this](const ExportRequest& request, SendDone done) { SendOnce(request, std::move(done)); }) {}

OtlpHttpExporter::~OtlpHttpExporter() {
  RunOn(loop_, [this] { client_.reset(); });
}

StatusOr<std::optional<net::Proxy>> OtlpHttpExporter::FindProxy() const {
  using Use = net::ProxyRules::Use;
  if (options_.proxy_url.empty()) {
    return proxies_.ProxyTo(target_->endpoint, target_->is_secure ? Use::kTunnel : Use::kForward);
  }
  ASSIGN_OR_RETURN(net::Proxy proxy, net::ParseProxy(options_.proxy_url));
  return std::optional(std::move(proxy));
}

Status OtlpHttpExporter::Start() {
  RETURN_IF_ERROR(target_.status());
  RETURN_IF_ERROR(authorizer_.status());
  net::HttpClientOptions client_options;
  client_options.endpoint = target_->endpoint;
  ASSIGN_OR_RETURN(client_options.proxy, FindProxy());
  if (target_->is_secure) client_options.tls = options_.tls.settings;
  client_options.connections_max =
      options_.max_conns_per_host == 0 ? kConnectionsMax : static_cast<size_t>(options_.max_conns_per_host);
  client_options.idle_max = std::chrono::ceil<milliseconds>(options_.idle_conn_timeout);
  Status status;
  RunOn(loop_, [&] {
    auto client = net::HttpClient::Create(loop_, std::move(client_options));
    status = client.status();
    if (client.ok()) client_ = *std::move(client);
  });
  RETURN_IF_ERROR(Annotate(status, target_->endpoint));
  return queue_.Start();
}

void OtlpHttpExporter::Stop(milliseconds grace) {
  queue_.Stop(grace);
  // Fails the requests under way, which answers the queue.
  RunOn(loop_, [this] { client_.reset(); });
}

net::HttpRequest OtlpHttpExporter::RequestOf(const Bytes& message) const {
  net::HttpRequest request;
  request.method = "POST";
  const size_t question = target_->path.find('?');
  request.path = target_->path.substr(0, question);
  if (question != std::string::npos) request.query = target_->path.substr(question + 1);
  request.headers.Add("user-agent", user_agent_);
  for (const auto& [name, value] : options_.headers) request.headers.Set(absl::AsciiStrToLower(name), value);
  request.headers.Set("content-type", std::string(ContentTypeOf(options_.encoding)));
  const bool is_compressed = options_.compression != net::Compression::kNone;
  request.headers.Set("content-encoding",
                      std::string(is_compressed ? net::ContentEncoding(options_.compression) : std::string_view()));
  request.body = message;
  return request;
}

void OtlpHttpExporter::SendOnce(const ExportRequest& request, SendDone done) {
  net::HttpRequest attempt = RequestOf(request.message.Joined());
  if (const Status status = authorizer_.Authorize(request, attempt.headers); !status.ok()) {
    return loop_.Post([status, done = std::move(done)]() mutable { std::move(done)(status); });
  }
  auto on_answer = [id = id_, signal = signal_, url = StrCat(target_->endpoint, target_->path), &clock = clock_,
                    log = partial_log_, calls = calls_, call = CallOf(*target_, attempt.body.size()),
                    begin_ns = clock_.SteadyNs(),
                    done = std::move(done)](const StatusOr<net::HttpResponse>& response) mutable {
    if (calls != nullptr) {
      if (response.ok()) call.status = response->status;
      calls->AddHttpClient(call, clock.SteadyNs() - begin_ns);
    }
    if (!response.ok()) return std::move(done)(response.status());
    const otlp::HttpAnswer answer = otlp::HttpAnswerOf(*response);
    if (!IsSuccess(answer.status)) {
      // What has no text of its own is called by its number.
      const std::string status = otlp::ErrorText(answer).empty() ? "" : StrCat(": HTTP ", answer.status);
      return std::move(done)(Annotate(otlp::StatusOfHttpAnswer(answer, clock.UnixNs()), StrCat(url, status)));
    }
    const otlp::PartialSuccess partial = otlp::PartialSuccessOf(answer);
    LogPartialSuccess(id, signal, partial, *log);
    std::move(done)(partial.rejected_spans);
  };
  client_->Send(std::move(attempt), std::chrono::ceil<milliseconds>(options_.timeout), std::move(on_answer));
}

void RegisterOtlpHttpExporter(Registry& registry) {
  registry.exporters.Add<OtlpHttpExporterOptions>(
      "otlp_http", kDoc,
      [](const ComponentId& id, OtlpHttpExporterOptions options, const BuildContext& context) {
        return std::make_unique<OtlpHttpExporter>(id, std::move(options), context);
      },
      EverySignal());
  registry.exporters.AddAlias("otlphttp", "otlp_http");
}

}  // namespace spanloom::pipeline
