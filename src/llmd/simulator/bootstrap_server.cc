// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/bootstrap_server.h"

#include <algorithm>
#include <utility>

#include "base/json_writer.h"
#include "base/text.h"
#include "llmd/simulator/serving.h"

namespace spanloom::llmd::simulator {

StatusOr<std::unique_ptr<BootstrapServer>> BootstrapServer::Create(const std::string& endpoint,
                                                                   std::map<size_t, std::string> engines,
                                                                   net::LoopPool& loops, MetricRegistry& metrics,
                                                                   Meetings& meetings) {
  std::unique_ptr<BootstrapServer> bootstrap(new BootstrapServer(std::move(engines), meetings));
  net::ServerOptions options;
  options.name = "bootstrap";
  options.endpoint = endpoint;
  options.http = [bootstrap = bootstrap.get()](const net::HttpRequest& request, net::HttpResponder responder) {
    bootstrap->Answer(request, std::move(responder));
  };
  ASSIGN_OR_RETURN(bootstrap->server_, net::Server::Create(loops, metrics, std::move(options)));
  return bootstrap;
}

// Who waits is told before the server goes.
BootstrapServer::~BootstrapServer() {
  meetings_.Clear();
  if (server_ != nullptr) server_->Stop(std::chrono::milliseconds(0));
  meetings_.Clear();
}

net::HttpResponse BootstrapServer::Engines() const {
  std::string body;
  JsonWriter writer(body);
  writer.BeginObject();
  for (const auto& [rank, engine] : engines_) {
    writer.Key(StrCat(rank));
    writer.BeginObject();
    writer.Field("engine_id", engine);
    writer.EndObject();
  }
  writer.EndObject();
  return JsonAnswer(200, std::move(body));
}

void BootstrapServer::Answer(const net::HttpRequest& request, net::HttpResponder responder) {
  if (request.path == "/query" && request.method == "GET") return std::move(responder).Respond(Engines());
  if (request.path != "/transfer" || request.method != "POST")
    return std::move(responder).Respond(net::TextResponse(404, "ask GET /query, or POST /transfer?name=NAME\n"));
  std::string name;
  std::string engine;
  for (auto& [key, value] : net::ParseQuery(request.query)) {
    if (key == "name") {
      name = std::move(value);
    } else if (key == "engine") {
      engine = std::move(value);
    }
  }
  const bool is_ours = engine.empty() || std::any_of(engines_.begin(), engines_.end(),
                                                     [&](const auto& each) { return each.second == engine; });
  if (!is_ours) return std::move(responder).Respond(net::TextResponse(404, "this engine is not here\n"));
  meetings_.Ask(name, [responder = std::move(responder)](bool was_there) mutable {
    std::move(responder).Respond(net::TextResponse(was_there ? 200 : 404, ""));
  });
}

}  // namespace spanloom::llmd::simulator
