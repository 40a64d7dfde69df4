// SPDX-License-Identifier: Apache-2.0
//
// Opens a connection: finds the addresses of a target, and tries them.

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "net/detail/asio.h"
#include "net/detail/endpoint.h"
#include "net/detail/proxy_route.h"
#include "net/detail/tls_credentials.h"
#include "net/detail/transport.h"

namespace spanloom::net {

inline constexpr std::chrono::seconds kConnectTimeout{20};  // connection-backoff.md of grpc/grpc: MIN_CONNECT_TIMEOUT

// The outcome of Resolve; there is an endpoint if `status` is OK.
struct Resolved {
  Status status;
  std::vector<Endpoint> endpoints;
};

// The addresses to connect to for `target`, in the resolver's order: its own, or those of the proxy on the way (null:
// none). kUnavailable names the target, the proxy and the reason. The references must live until the outcome is there.
asio::awaitable<Resolved> Resolve(Loop& loop, const Target& target, const ProxyRoute* route);

// The outcome of Connect; `transport` is there if `status` is OK.
struct Connected {
  Status status;
  std::optional<Transport> transport;
};

// Tries `endpoints` in turn, opens a tunnel if `route` has one, and does TLS's handshake with `target`'s name unless
// `tls` is null; all for at most `patience`. The status is kUnavailable and names the target, the proxy and the reason.
// The references must live until the outcome is there.
asio::awaitable<Connected> Connect(Loop& loop, const Target& target, const ProxyRoute* route,
                                   const std::vector<Endpoint>& endpoints, TlsCredentials* tls,
                                   std::chrono::milliseconds patience);

}  // namespace spanloom::net
