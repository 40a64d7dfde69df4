// SPDX-License-Identifier: Apache-2.0

#include "llmd/testing/fake_model_server.h"

#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace spanloom::llmd {
namespace {

net::HttpResponse Typed(int status, std::string type, std::string_view text) {
  net::HttpResponse response;
  response.status = status;
  response.headers.Add("content-type", std::move(type));
  response.body = Bytes::CopyOf(text);
  return response;
}

}  // namespace

FakeModelServer::FakeModelServer(net::LoopPool& loops, Answer answer, std::optional<net::TlsServerOptions> tls) {
  Listen(loops, std::move(answer), std::move(tls), 0);
  CHECK(is_up());
}

FakeModelServer::FakeModelServer(net::LoopPool& loops, Answer answer, uint16_t port) {
  Listen(loops, std::move(answer), std::nullopt, port);
}

void FakeModelServer::Listen(net::LoopPool& loops, Answer answer, std::optional<net::TlsServerOptions> tls,
                             uint16_t port) {
  net::ServerOptions options;
  options.name = "model";
  options.endpoint = StrCat("127.0.0.1:", port);
  options.limits.body_bytes_max = 64 << 20;
  options.tls = std::move(tls);
  options.http = [this, answer = std::move(answer)](const net::HttpRequest& request, net::HttpResponder responder) {
    {
      const MutexLock lock(mutex_);
      requests_.push_back(request);
    }
    std::move(responder).Respond(answer(request));
  };
  auto server = net::Server::Create(loops, metrics_, std::move(options));
  if (server.ok()) server_ = *std::move(server);
}

FakeModelServer::~FakeModelServer() = default;

uint16_t FakeModelServer::port() const {
  return server_->port();
}

std::string FakeModelServer::target() const {
  return StrCat("127.0.0.1:", port());
}

std::vector<net::HttpRequest> FakeModelServer::requests() const {
  const MutexLock lock(mutex_);
  return requests_;
}

net::HttpResponse JsonAnswer(std::string_view json) {
  return Typed(200, "application/json", json);
}

net::HttpResponse StatusAnswer(int status, std::string_view text) {
  return Typed(status, "text/plain", text);
}

net::HttpResponse EventAnswer(std::string_view events) {
  return Typed(200, "text/event-stream; charset=utf-8", events);
}

}  // namespace spanloom::llmd
