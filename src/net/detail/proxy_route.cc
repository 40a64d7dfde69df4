// SPDX-License-Identifier: Apache-2.0

#include "net/detail/proxy_route.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>

#include <array>
#include <boost/asio/write.hpp>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "net/host_port.h"

namespace spanloom::net {
namespace {

constexpr size_t kAnswerBytesMax = 16 << 10;  // of the head; guess
constexpr size_t kStatusBytesShown = 80;      // of the status line, in an error
constexpr std::string_view kHeadEnd = "\r\n\r\n";

// Appends what the socket has to `head`, up to the end of the head; what follows stays in the socket.
size_t TakeHead(Socket& socket, std::string& head, error_code& error) {
  std::array<char, 1024> piece;
  const size_t seen = socket.receive(asio::buffer(piece), Socket::message_peek, error);
  if (error) return 0;
  const size_t before = head.size();
  head.append(piece.data(), seen);
  const size_t end = head.find(kHeadEnd, before < kHeadEnd.size() ? 0 : before - kHeadEnd.size() + 1);
  if (end != std::string::npos) head.resize(end + kHeadEnd.size());
  return socket.receive(asio::buffer(piece.data(), head.size() - before), 0, error);
}

// "407 Proxy Authentication Required" of an answer's first line, fit to be shown.
std::string StatusOf(std::string_view head) {
  std::string status(head.substr(0, head.find('\r')));
  status.erase(0, std::min(status.size(), status.find(' ') + 1));
  status.resize(std::min(status.size(), kStatusBytesShown));
  for (char& c : status) {
    if (!absl::ascii_isprint(static_cast<unsigned char>(c))) c = '?';
  }
  return status;
}

std::string ReasonOf(std::string_view head) {
  const std::string status = StatusOf(head);
  if (!head.starts_with("HTTP/1.")) return "CONNECT: the proxy does not speak HTTP/1.1";
  return status.starts_with("2") ? "" : StrCat("CONNECT: the proxy answered ", status);
}

}  // namespace

StatusOr<ProxyRoute> ProxyRoute::Tunnel(const Proxy& proxy, const Target& target) {
  if (target.host.empty()) return absl::InvalidArgumentError("only a host and a port can be reached through a proxy");
  ASSIGN_OR_RETURN(ProxyRoute route, Forward(proxy));
  const std::string authority = JoinHostPort(target.host, target.port);
  route.connect_request =
      StrCat("CONNECT ", authority, " HTTP/1.1\r\nHost: ", authority, "\r\nUser-Agent: spanloom\r\n");
  if (!proxy.authorization.empty()) {
    StrAppend(route.connect_request, "Proxy-Authorization: ", proxy.authorization, "\r\n");
  }
  route.connect_request.append("\r\n");
  return route;
}

StatusOr<ProxyRoute> ProxyRoute::Forward(const Proxy& proxy) {
  ProxyRoute route;
  ASSIGN_OR_RETURN(route.proxy, ParseTarget(proxy.endpoint));
  route.name = proxy.endpoint;
  return route;
}

asio::awaitable<std::string> OpenTunnel(Socket& socket, const ProxyRoute& route) {
  error_code error;
  co_await asio::async_write(socket, asio::buffer(route.connect_request), Into(error));
  std::string head;
  while (!error && !head.ends_with(kHeadEnd)) {
    if (head.size() > kAnswerBytesMax) co_return "CONNECT: the proxy's answer has no end";
    co_await socket.async_wait(Socket::wait_read, Into(error));
    if (!error && TakeHead(socket, head, error) == 0 && !error) error = asio::error::eof;
  }
  if (error == asio::error::eof) co_return "CONNECT: the proxy closed the connection";
  co_return error ? StrCat("CONNECT: ", error.message()) : ReasonOf(head);
}

}  // namespace spanloom::net
