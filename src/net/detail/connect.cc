// SPDX-License-Identifier: Apache-2.0

#include "net/detail/connect.h"

#include <chrono>
#include <utility>
#include <vector>

#include "base/text.h"
#include "net/detail/socket_options.h"

namespace spanloom::net {
namespace {

constexpr std::chrono::seconds kConnectTimeout{20};  // doc/connection-backoff.md of grpc/grpc: MIN_CONNECT_TIMEOUT

Status ConnectFailed(const HostPort& target, const std::string& reason) {
  return absl::UnavailableError(StrCat("can't connect to ", target.host, ":", target.port, ": ", reason));
}

asio::awaitable<std::vector<tcp::endpoint>> Resolve(Loop& loop, const HostPort& target, error_code& error) {
  const asio::ip::address literal = asio::ip::make_address(target.host, error);
  std::vector<tcp::endpoint> endpoints;
  if (!error) {
    endpoints.emplace_back(literal, target.port);
    co_return endpoints;
  }
  tcp::resolver resolver(Context(loop));
  const std::string service = StrCat(target.port);
  const tcp::resolver::results_type found = co_await resolver.async_resolve(target.host, service, Into(error));
  for (const auto& entry : found) endpoints.push_back(entry.endpoint());
  co_return endpoints;
}

}  // namespace

asio::awaitable<Connected> Connect(Loop& loop, const HostPort& target, TlsCredentials* tls) {
  Connected connected;
  error_code error;
  const std::vector<tcp::endpoint> endpoints = co_await Resolve(loop, target, error);
  if (error) {
    connected.status = ConnectFailed(target, error.message());
    co_return connected;
  }
  tcp::socket socket(Context(loop));
  bool timed_out = false;
  Timer timer = loop.PostAfter(kConnectTimeout, [&] {
    timed_out = true;
    if (connected.transport.has_value()) return connected.transport->Close();
    error_code ignored;
    socket.close(ignored);
  });
  co_await asio::async_connect(socket, endpoints, Into(error));
  std::string reason = error.message();
  if (!error && socket.is_open()) {
    SetConnectionOptions(socket);
    auto session = tls == nullptr ? nullptr : tls->NewClientSession(target.host);
    connected.transport.emplace(std::move(socket), std::move(session));
    error = co_await connected.transport->Handshake();
    if (error) reason = StrCat("TLS handshake: ", connected.transport->HandshakeFailure(error));
  }
  timer.Cancel();
  if (error || timed_out) {
    connected.status = ConnectFailed(target, timed_out ? "timed out" : reason);
    connected.transport.reset();
  }
  co_return connected;
}

}  // namespace spanloom::net
