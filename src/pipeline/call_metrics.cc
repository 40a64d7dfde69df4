// SPDX-License-Identifier: Apache-2.0

#include "pipeline/call_metrics.h"

#include <absl/strings/strip.h>

#include <vector>

#include "base/text.h"
#include "net/host_port.h"

namespace spanloom::pipeline {
namespace {

// Those of the semantic conventions, and of OpenTelemetry's SDKs.
const std::vector<double>& SecondsBounds() {
  static const auto* const bounds =
      new std::vector<double>{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10};
  return *bounds;
}

const std::vector<double>& DefaultBounds() {
  static const auto* const bounds =
      new std::vector<double>{0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10'000};
  return *bounds;
}

double Seconds(int64_t duration_ns) {
  return static_cast<double>(duration_ns) / 1e9;
}

void AddServer(std::string_view server, MetricLabels& labels) {
  const std::string_view host = net::HostOf(server);
  labels.emplace_back("server_address", host.empty() ? server : host);
  if (!host.empty()) labels.emplace_back("server_port", server.substr(server.rfind(':') + 1));
}

MetricLabels HttpLabels(const CallMetrics::HttpCall& call) {
  MetricLabels labels = {{"http_request_method", call.method}};
  if (call.status == 0) labels.emplace_back("error_type", "_OTHER");
  if (call.status != 0) labels.emplace_back("http_response_status_code", StrCat(call.status));
  if (!call.route.empty()) labels.emplace_back("http_route", call.route);
  labels.emplace_back("network_protocol_name", "http");
  if (!call.version.empty()) labels.emplace_back("network_protocol_version", call.version);
  AddServer(call.server, labels);
  labels.emplace_back("url_scheme", call.is_secure ? "https" : "http");
  return labels;
}

MetricLabels RpcLabels(std::string_view method, const Status& status) {
  return {{"rpc_method", std::string(method.substr(method.starts_with('/') ? 1 : 0))},
          {"rpc_response_status_code", absl::StatusCodeToString(status.code())},
          {"rpc_system_name", "grpc"}};
}

}  // namespace

void CallMetrics::AddHttpServer(const HttpCall& call, int64_t duration_ns) {
  const MetricLabels labels = HttpLabels(call);
  Add("http_server_request_duration", "How long requests took to answer, in seconds.", SecondsBounds(), labels,
      Seconds(duration_ns));
  Add("http_server_request_body_size", "Bytes of the bodies of requests.", DefaultBounds(), labels,
      static_cast<double>(call.request_bytes));
  Add("http_server_response_body_size", "Bytes of the bodies of answers.", DefaultBounds(), labels,
      static_cast<double>(call.response_bytes));
}

void CallMetrics::AddHttpClient(const HttpCall& call, int64_t duration_ns) {
  const MetricLabels labels = HttpLabels(call);
  Add("http_client_request_duration", "How long requests took to be answered, in seconds.", SecondsBounds(), labels,
      Seconds(duration_ns));
  Add("http_client_request_body_size", "Bytes of the bodies of requests that were sent.", DefaultBounds(), labels,
      static_cast<double>(call.request_bytes));
}

void CallMetrics::AddRpcServer(std::string_view method, const Status& status, int64_t duration_ns) {
  Add("rpc_server_call_duration", "How long calls took to answer, in seconds.", SecondsBounds(),
      RpcLabels(method, status), Seconds(duration_ns));
}

void CallMetrics::AddRpcClient(std::string_view method, std::string_view server, const Status& status,
                               int64_t duration_ns) {
  MetricLabels labels = RpcLabels(method, status);
  AddServer(server, labels);
  Add("rpc_client_call_duration", "How long calls took to be answered, in seconds.", SecondsBounds(), std::move(labels),
      Seconds(duration_ns));
}

void CallMetrics::Add(std::string_view name, std::string_view help, const std::vector<double>& bounds,
                      MetricLabels labels, double value) {
  {
    const MutexLock lock(mutex_);
    std::set<MetricLabels>& known = known_[std::string(name)];
    if (known.size() < kLabelSetsMax) {
      known.insert(labels);
    } else if (!known.contains(labels)) {
      labels = {{"otel_metric_overflow", "true"}};
    }
  }
  metrics_.GetHistogram(name, help, bounds, labels).Add(value);
}

}  // namespace spanloom::pipeline
