// SPDX-License-Identifier: Apache-2.0
//
// Addresses as users write them: "127.0.0.1:4317", "[::1]:0", "localhost:4318", ":4317".

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "net/detail/asio.h"

namespace spanloom::net {

struct HostPort {
  std::string host;  // without brackets; "" if left out
  uint16_t port = 0;
};

// Splits at the last colon. kInvalidArgument if there is no port, or it is not in [0, 65535], or an IPv6 address has no
// brackets.
StatusOr<HostPort> ParseHostPort(std::string_view endpoint);

// The address to bind to. An empty host means all addresses, IPv6 and IPv4 if the machine has both. Names are resolved,
// IPv4 first; this may block. kInvalidArgument if the endpoint can't be parsed or resolved.
StatusOr<tcp::endpoint> ResolveListenEndpoint(std::string_view endpoint);

// "127.0.0.1:4317", "[::1]:4317"; an IPv4 address that came through an IPv6 socket is shown as IPv4.
std::string ToString(const tcp::endpoint& endpoint);

}  // namespace spanloom::net
