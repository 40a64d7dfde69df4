// SPDX-License-Identifier: Apache-2.0

#include "app/metrics_page.h"

#include <utility>

namespace spanloom::app {
namespace {

net::HttpResponse Answer(const net::HttpRequest& request, const MetricRegistry& metrics, const MetricNaming& naming,
                         const std::vector<MetricView>& views) {
  if (request.path != "/metrics") return net::TextResponse(404, "404 page not found; metrics are at /metrics\n");
  if (request.method != "GET") return net::TextResponse(405, "405 method not allowed, supported: [GET]\n");
  net::HttpResponse response;
  response.headers.Add("content-type", "text/plain; version=0.0.4; charset=utf-8");
  response.body = Bytes(RenderMetrics(ApplyViews(metrics.Snapshot(), views), naming));
  return response;
}

}  // namespace

StatusOr<std::unique_ptr<net::Server>> ServeMetrics(net::LoopPool& loops, MetricRegistry& metrics, MetricNaming naming,
                                                    std::vector<MetricView> views, std::string endpoint) {
  net::ServerOptions options;
  options.name = "telemetry";
  options.endpoint = std::move(endpoint);
  options.http = [&metrics, naming = std::move(naming), views = std::move(views)](const net::HttpRequest& request,
                                                                                  net::HttpResponder responder) {
    std::move(responder).Respond(Answer(request, metrics, naming, views));
  };
  return net::Server::Create(loops, metrics, std::move(options));
}

}  // namespace spanloom::app
