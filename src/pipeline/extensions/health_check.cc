// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extensions/health_check.h"

#include <absl/algorithm/container.h>
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

void HealthBodyOptions::Declare(config::OptionsReader& r) {
  r.Field("healthy", healthy, "Body of the answer 200.");
  r.Field("unhealthy", unhealthy, "Body of the answer 503.");
}

void ComponentHealthOptions::Declare(config::OptionsReader& r) {
  r.Field("include_permanent_errors", include_permanent_errors,
          "Whether a component that does not do its work until it is made anew makes the answer 503.");
  r.Field("include_recoverable_errors", include_recoverable_errors,
          "Whether a component whose error has lasted for recovery_duration makes the answer 503.");
  r.Field("recovery_duration", recovery_duration, "How long a recoverable error may last before it counts.");
}

void HealthCheckOptions::Declare(config::OptionsReader& r) {
  DeclarePageServer(r, server, "Address to listen on, HOST:PORT or unix:/PATH; port 13133 if it is left out.");
  r.Field("path", path, "Path that is answered; if it ends with a slash, everything below it too.");
  r.Field("response_body", response_body, "What is answered instead of JSON.");
  r.Field("component_health", component_health, "Which states of components count.");
  r.Unsupported("check_collector_pipeline", "write component_health.include_recoverable_errors: true");
  for (const char* name : {"use_v2", "grpc", "http"}) {
    r.Unsupported(name, "remove it; component_health works without it", "false");
  }
}

Status HealthCheckOptions::Validate() const {
  RETURN_IF_ERROR(server.Validate());
  if (path.starts_with('/')) return absl::OkStatus();
  return absl::InvalidArgumentError("path must start with \"/\"");
}

HealthCheckExtension::HealthCheckExtension(const ComponentId& id, HealthCheckOptions options,
                                           const BuildContext& context)
    : options_(std::move(options)), context_(context), server_(id.ToString(), options_.server, kPort, context) {}

Status HealthCheckExtension::Start() {
  return server_.Start([this](const net::HttpRequest& request, net::HttpResponder responder) {
    std::move(responder).Respond(IsAnswered(request.path) ? Answer() : net::TextResponse(404, "404 page not found\n"));
  });
}

void HealthCheckExtension::Stop(std::chrono::milliseconds grace) {
  server_.Stop(grace);
}

void HealthCheckExtension::SetReady(bool ready) {
  ready_since_steady_ns_ = context_.clock.SteadyNs();
  ready_since_unix_ns_ = ready ? context_.clock.UnixNs() : 0;
}

std::vector<Endpoint> HealthCheckExtension::endpoints() const {
  return server_.endpoints("health", options_.path);
}

std::vector<std::string> HealthCheckExtension::claims() const {
  return server_.claims();
}

bool HealthCheckExtension::IsAnswered(std::string_view path) const {
  return options_.path.ends_with('/') ? path.starts_with(options_.path) : path == options_.path;
}

bool HealthCheckExtension::Counts(const ComponentStatus& component) const {
  const ComponentHealthOptions& health = options_.component_health;
  switch (component.state) {
    case ComponentState::kFatalError:
      return true;
    case ComponentState::kPermanentError:
      return health.include_permanent_errors;
    case ComponentState::kRecoverableError:
      return health.include_recoverable_errors &&
             context_.clock.UnixNs() - component.since_unix_ns >= health.recovery_duration.count();
    default:
      return false;
  }
}

bool HealthCheckExtension::IsHealthy() const {
  if (ready_since_unix_ns_ == 0) return false;
  if (context_.board == nullptr) return true;
  return absl::c_none_of(context_.board->Snapshot(),
                         [this](const ComponentStatus& component) { return Counts(component); });
}

net::HttpResponse HealthCheckExtension::Answer() const {
  const bool healthy = IsHealthy();
  const std::string& text = healthy ? options_.response_body.healthy : options_.response_body.unhealthy;
  net::HttpResponse response;
  response.status = healthy ? 200 : 503;
  response.headers.Add("content-type", text.empty() ? "application/json" : "text/plain; charset=utf-8");
  response.body = text.empty() ? StatusBody(healthy) : Bytes::CopyOf(text);
  return response;
}

Bytes HealthCheckExtension::StatusBody(bool healthy) const {
  const int64_t since_ns = ready_since_unix_ns_;
  const bool ready = since_ns != 0;
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  json.Field("status", healthy ? "Server available" : "Server not available");
  json.Field("upSince", ready ? TimeText(since_ns) : std::string(kNever));
  const std::chrono::nanoseconds uptime(context_.clock.SteadyNs() - ready_since_steady_ns_);
  json.Field("uptime", ready ? config::FormatDuration(uptime) : std::string());
  json.EndObject();
  return Bytes(std::move(body));
}

void RegisterHealthCheckExtension(Registry& registry) {
  registry.extensions.Add<HealthCheckOptions>(
      "health_check", kDoc, [](const ComponentId& id, HealthCheckOptions options, const BuildContext& context) {
        return std::make_unique<HealthCheckExtension>(id, std::move(options), context);
      });
}

}  // namespace spanloom::pipeline
