// SPDX-License-Identifier: Apache-2.0

#include "net/detail/connect.h"

#include <utility>

#include "base/text.h"
#include "net/client.h"
#include "net/detail/socket_options.h"

namespace spanloom::net {
namespace {

constexpr char kConnectFailure[] = "spanloom/connect-failure";  // a payload of statuses, empty

std::string NameOf(const Target& target) {
  if (target.is_unix()) return ToString(UnixEndpoint(target));
  if (!target.addresses.empty()) return "any of the addresses";
  return StrCat(target.host, ":", target.port);
}

// The name that a certificate must have; gRPC's for unix sockets.
std::string CertificateName(const Target& target) {
  if (!target.addresses.empty()) return target.addresses.front().address().to_string();
  return target.is_unix() ? "localhost" : target.host;
}

Status ConnectFailed(const Target& target, const ProxyRoute* route, const std::string& reason) {
  const std::string way = route == nullptr ? "" : StrCat(" through the proxy ", route->name);
  Status status = absl::UnavailableError(StrCat("can't connect to ", NameOf(target), way, ": ", reason));
  status.SetPayload(kConnectFailure, absl::Cord());
  return status;
}

}  // namespace

bool IsConnectFailure(const Status& status) {
  return status.GetPayload(kConnectFailure).has_value();
}

asio::awaitable<Resolved> Resolve(Loop& loop, const Target& wanted, const ProxyRoute* route) {
  const Target& target = route == nullptr ? wanted : route->proxy;
  Resolved resolved;
  if (target.is_unix()) {
    resolved.endpoints.push_back(UnixEndpoint(target));
    co_return resolved;
  }
  for (const tcp::endpoint& address : target.addresses) resolved.endpoints.emplace_back(address);
  if (!target.addresses.empty()) co_return resolved;
  error_code error;
  const asio::ip::address literal = asio::ip::make_address(target.host, error);
  if (!error) {
    resolved.endpoints.emplace_back(tcp::endpoint(literal, target.port));
    co_return resolved;
  }
  tcp::resolver resolver(Context(loop));
  const std::string service = StrCat(target.port);
  const tcp::resolver::results_type found = co_await resolver.async_resolve(target.host, service, Into(error));
  for (const auto& entry : found) resolved.endpoints.emplace_back(entry.endpoint());
  if (!error && resolved.endpoints.empty()) error = asio::error::host_not_found;
  if (error) resolved.status = ConnectFailed(wanted, route, error.message());
  co_return resolved;
}

asio::awaitable<Connected> Connect(Loop& loop, const Target& target, const ProxyRoute* route,
                                   const std::vector<Endpoint>& endpoints, TlsCredentials* tls,
                                   std::chrono::milliseconds patience) {
  Connected connected;
  error_code error;
  Socket socket(Context(loop));
  bool timed_out = false;
  Timer timer = loop.PostAfter(patience, [&] {
    timed_out = true;
    if (connected.transport.has_value()) return connected.transport->Close();
    error_code ignored;
    socket.close(ignored);
  });
  co_await asio::async_connect(socket, endpoints, Into(error));
  std::string reason = error.message();
  if (!error && socket.is_open() && route != nullptr && !route->connect_request.empty()) {
    reason = co_await OpenTunnel(socket, *route);
    if (!reason.empty()) error = asio::error::connection_refused;
  }
  if (!error && socket.is_open()) {
    if (!target.is_unix()) SetConnectionOptions(socket);
    auto session = tls == nullptr ? nullptr : tls->NewClientSession(CertificateName(target));
    connected.transport.emplace(std::move(socket), std::move(session));
    error = co_await connected.transport->Handshake();
    if (error) reason = StrCat("TLS handshake: ", connected.transport->HandshakeFailure(error));
  }
  timer.Cancel();
  if (error || timed_out) {
    connected.status = ConnectFailed(target, route, timed_out ? "timed out" : reason);
    connected.transport.reset();
  }
  co_return connected;
}

}  // namespace spanloom::net
