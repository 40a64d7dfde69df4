// SPDX-License-Identifier: Apache-2.0
//
// The way of one client's connections through a proxy.

#pragma once

#include <string>

#include "base/status.h"
#include "net/detail/asio.h"
#include "net/detail/endpoint.h"
#include "net/proxy.h"

namespace spanloom::net {

// Immutable.
struct ProxyRoute {
  Target proxy;
  std::string name;             // "proxy.example:3128", for errors
  std::string connect_request;  // that opens a tunnel; "" if requests name their server instead

  // kInvalidArgument if the proxy's endpoint is none, or `target`, which is to be reached, has no host.
  static StatusOr<ProxyRoute> Tunnel(const Proxy& proxy, const Target& target);
  static StatusOr<ProxyRoute> Forward(const Proxy& proxy);
};

// Asks the proxy that `socket` is connected to for a tunnel (RFC 9110, 9.3.6). "", and the next byte that the socket
// gives is the server's; else the reason why not. Closing the socket ends it.
asio::awaitable<std::string> OpenTunnel(Socket& socket, const ProxyRoute& route);

}  // namespace spanloom::net
