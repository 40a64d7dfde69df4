// SPDX-License-Identifier: Apache-2.0

#include "query/query_server.h"

#include <string_view>
#include <utility>

#include "base/text.h"
#include "findings/findings_json.h"
#include "net/compression.h"
#include "query/accept_encoding.h"
#include "query/insight_json.h"

namespace spanloom::query {
namespace {

using net::HttpRequest;
using net::HttpResponse;

constexpr std::string_view kApiPrefix = "/api/";

HttpResponse JaegerError(int status, std::string_view message) {
  return jaeger::ErrorResponse(status, message);
}

}  // namespace

StatusOr<std::unique_ptr<QueryServer>> QueryServer::Create(net::LoopPool& loops, MetricRegistry& metrics,
                                                           const store::SpanStore& store, QueryServerOptions options,
                                                           const std::vector<page::StaticAsset>& assets,
                                                           const Clock& clock) {
  std::unique_ptr<QueryServer> server(new QueryServer(loops, metrics, store, options, assets, clock));
  net::ServerOptions server_options;
  server_options.name = "spanloom_query";
  server_options.endpoint = options.endpoint;
  server_options.http = [receiver = server.get()](HttpRequest request, net::HttpResponder responder) {
    receiver->Receive(std::move(request), std::move(responder));
  };
  ASSIGN_OR_RETURN(server->server_, net::Server::Create(loops, metrics, std::move(server_options)));
  return server;
}

QueryServer::QueryServer(const net::LoopPool& loops, MetricRegistry& metrics, const store::SpanStore& store,
                         const QueryServerOptions& options, const std::vector<page::StaticAsset>& assets,
                         const Clock& clock)
    : metrics_(metrics),
      refused_(metrics.GetCounter("spanloom_query_refused",
                                  "Query requests that were not answered for lack of capacity.", {{"cause", "busy"}})),
      options_(options),
      jaeger_(store, clock, options.jaeger),
      page_(assets),
      router_(JaegerError) {
  AddJaegerRoutes();
  AddInsightRoutes();
  readers_ =
      std::make_unique<WorkerPool>("query", options.readers > 0 ? options.readers : loops.size(), options.waiting_max);
}

QueryServer::~QueryServer() {
  if (server_ != nullptr) server_->Stop(std::chrono::milliseconds(0));
}

void QueryServer::AddJaegerRoutes() {
  const jaeger::Handlers& api = jaeger_;
  router_.Add("GET", "/api/services",
              [&api](const auto& request, const auto&, auto stop) { return api.Services(request, stop); });
  router_.Add("GET", "/api/services/{service}/operations", [&api](const auto& request, const auto& path, auto stop) {
    return api.OperationNames(request, path[0], stop);
  });
  router_.Add("GET", "/api/operations",
              [&api](const auto& request, const auto&, auto stop) { return api.Operations(request, stop); });
  router_.Add("GET", "/api/traces",
              [&api](const auto& request, const auto&, auto stop) { return api.Search(request, stop); });
  router_.Add("GET", "/api/traces/{id}",
              [&api](const auto& request, const auto& path, auto stop) { return api.Trace(request, path[0], stop); });
  router_.Add("GET", "/api/dependencies",
              [&api](const auto& request, const auto&, auto stop) { return api.Dependencies(request, stop); });
}

void QueryServer::AddInsightRoutes() {
  if (const StatusSource* status = options_.insight.status; status != nullptr) {
    router_.Add("GET", "/api/insight/status", [status](const auto&, const auto&, auto) {
      const StatusReport report = status->Status();
      jaeger::DataResponse response;
      WriteStatus(report, response.data());
      return response.Finish(report.counts.size());
    });
  }
  if (findings::FindingsSource* findings = options_.insight.findings; findings != nullptr) {
    router_.Add("GET", "/api/insight/findings", [findings](const auto&, const auto&, auto stop) {
      const StatusOr<findings::FindingsReport> report = findings->Find(std::move(stop));
      if (!report.ok()) return jaeger::ErrorResponse(report.status());
      jaeger::DataResponse response;
      findings::WriteFindings(*report, response.data());
      return response.Finish(report->findings.size());
    });
  }
}

void QueryServer::Receive(HttpRequest request, net::HttpResponder responder) {
  // Both in one place, so that they are still at hand if the queue is full: Submit then leaves the task alone, and the
  // responder in it.
  struct Exchange {
    HttpRequest request;
    net::HttpResponder responder;
    std::stop_source stop = {};
  };
  auto exchange = std::make_shared<Exchange>(Exchange{std::move(request), std::move(responder)});
  exchange->responder.cancel_signal().OnCancel([stop = exchange->stop]() mutable { stop.request_stop(); });
  const bool is_queued = readers_->Submit([this, exchange] {
    std::move(exchange->responder).Respond(Answer(exchange->request, exchange->stop.get_token()));
  });
  if (is_queued) return;
  refused_.Add(1);
  HttpResponse busy = JaegerError(
      503, StrCat("all readers are busy and ", options_.waiting_max, " requests are waiting; try again in a second"));
  busy.headers.Add("retry-after", "1");
  std::move(exchange->responder).Respond(std::move(busy));
}

HttpResponse QueryServer::Answer(const HttpRequest& request, const std::stop_token& stop) const {
  HttpResponse response = request.path.starts_with(kApiPrefix) ? router_.Handle(request, stop) : page_.Handle(request);
  if (!stop.stop_requested()) CompressIfWanted(request, response);
  page::AddSecurityHeaders(response.headers);
  metrics_
      .GetCounter("spanloom_query_requests", "Query requests answered, by status.", {{"code", StrCat(response.status)}})
      .Add(1);
  return response;
}

void QueryServer::CompressIfWanted(const HttpRequest& request, HttpResponse& response) const {
  if (response.body.size() < options_.compress_bytes_min) return;
  if (!response.headers.Get("content-encoding").empty() || !response.headers.Get("vary").empty()) return;
  response.headers.Add("vary", "accept-encoding");
  if (!AcceptsGzip(request.headers.Get("accept-encoding"))) return;
  response.body = net::Compress(net::Compression::kGzip, response.body.view());
  response.headers.Add("content-encoding", "gzip");
}

}  // namespace spanloom::query
