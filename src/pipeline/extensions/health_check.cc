// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extensions/health_check.h"

#include <absl/time/time.h>

#include <utility>

#include "base/json_writer.h"
#include "base/text.h"
#include "config/duration.h"

namespace spanloom::pipeline {
namespace {

constexpr uint16_t kPort = 13133;
constexpr std::string_view kNever = "0001-01-01T00:00:00Z";  // Go's zero time, which the Collector prints

std::string TimeText(int64_t unix_ns) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", absl::FromUnixNanos(unix_ns), absl::UTCTimeZone());
}

constexpr ComponentDoc kDoc = {
    .words =
        "Answers whether the process is ready, for the probes of Kubernetes: 200 once every component has started, 503 "
        "before and while it stops.",
    .example = R"(extensions:
  health_check:
    endpoint: 0.0.0.0:13133
)",
};

}  // namespace

void HealthCheckOptions::Declare(config::OptionsReader& r) {
  r.Field("endpoint", endpoint, "Address to listen on, HOST:PORT; port 13133 if it is left out.");
  r.Field("path", path, "Path that is answered.");
  r.Unsupported("response_body", "remove it; the answer is JSON with the status");
  r.Unsupported("check_collector_pipeline", "remove it; watch the exporters' metrics instead");
  r.Unsupported("tls", "remove it; the answer is sent in cleartext");
}

Status HealthCheckOptions::Validate() const {
  if (path.starts_with('/')) return absl::OkStatus();
  return absl::InvalidArgumentError("path must start with \"/\"");
}

HealthCheckExtension::HealthCheckExtension(const ComponentId& id, HealthCheckOptions options,
                                           const BuildContext& context)
    : id_(id.ToString()), options_(std::move(options)), context_(context) {}

HealthCheckExtension::~HealthCheckExtension() = default;

Status HealthCheckExtension::Start() {
  net::ServerOptions server;
  server.name = id_;
  server.endpoint = ListenEndpoint(options_.endpoint, context_, kPort);
  server.http = [this](const net::HttpRequest& request, net::HttpResponder responder) {
    std::move(responder).Respond(request.path == options_.path ? Answer()
                                                               : net::TextResponse(404, "404 page not found\n"));
  };
  ASSIGN_OR_RETURN(server_, net::Server::Create(context_.loops, context_.metrics, std::move(server)));
  return absl::OkStatus();
}

void HealthCheckExtension::Stop(std::chrono::milliseconds grace) {
  server_->Stop(grace);
}

void HealthCheckExtension::SetReady(bool ready) {
  ready_since_unix_ns_ = ready ? context_.clock.UnixNs() : 0;
}

std::vector<Endpoint> HealthCheckExtension::endpoints() const {
  if (server_ == nullptr) return {};
  return {{"health", StrCat("http://", server_->endpoint(), options_.path)}};
}

net::HttpResponse HealthCheckExtension::Answer() const {
  const int64_t since_ns = ready_since_unix_ns_;
  const bool ready = since_ns != 0;
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  json.Field("status", ready ? "Server available" : "Server not available");
  json.Field("upSince", ready ? TimeText(since_ns) : std::string(kNever));
  json.Field("uptime", ready ? config::FormatDuration(std::chrono::nanoseconds(context_.clock.UnixNs() - since_ns))
                             : std::string());
  json.EndObject();
  net::HttpResponse response;
  response.status = ready ? 200 : 503;
  response.headers.Add("content-type", "application/json");
  response.body = Bytes(std::move(body));
  return response;
}

void RegisterHealthCheckExtension(Registry& registry) {
  registry.extensions.Add<HealthCheckOptions>(
      "health_check", kDoc, [](const ComponentId& id, HealthCheckOptions options, const BuildContext& context) {
        return std::make_unique<HealthCheckExtension>(id, std::move(options), context);
      });
}

}  // namespace spanloom::pipeline
