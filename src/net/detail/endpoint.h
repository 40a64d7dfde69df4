// SPDX-License-Identifier: Apache-2.0
//
// Addresses as users write them: "127.0.0.1:4317", "[::1]:0", "localhost:4318", ":4317"; and, by gRPC's naming, unix
// sockets, "unix:/run/spanloom.sock", "unix:///run/spanloom.sock", "unix-abstract:spanloom", and for clients lists of
// addresses, "ipv4:10.0.0.1:4317,10.0.0.2:4317", "ipv6:[::1]:4317".

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "net/detail/asio.h"

namespace spanloom::net {

// A host and a port, a unix socket, or a list of addresses.
struct Target {
  std::string host;  // without brackets; "" if left out
  uint16_t port = 0;
  std::string unix_path;                 // "": not a unix socket. An abstract one begins with a zero byte
  std::vector<tcp::endpoint> addresses;  // of a list, which has neither host nor path

  [[nodiscard]] bool is_unix() const { return !unix_path.empty(); }
  [[nodiscard]] bool is_abstract() const { return is_unix() && unix_path.front() == '\0'; }
};

// Splits host and port at the last colon. kInvalidArgument if there is no port, or it is not in [0, 65535], or an IPv6
// address has no brackets, or a unix socket's path is empty, longer than the 107 bytes that Linux takes, or not
// absolute after "unix://", or what is in a list is not an address of its family.
StatusOr<Target> ParseTarget(std::string_view endpoint);

// The address to bind to. An empty host means all addresses, IPv6 and IPv4 if the machine has both. Names are resolved,
// IPv4 first; this may block. kInvalidArgument, naming `endpoint`, if that fails.
StatusOr<Endpoint> ResolveListenEndpoint(const Target& target, std::string_view endpoint);

// The address of a unix socket.
Endpoint UnixEndpoint(const Target& target);

// What requests to `endpoint`, whose target this is, name as their authority or host: itself, or, as gRPC does, the
// addresses of a list, and "localhost" for a unix socket.
std::string_view AuthorityOf(const Target& target, std::string_view endpoint);

// "127.0.0.1:4317", "[::1]:4317", "unix:/run/spanloom.sock"; an IPv4 address that came through an IPv6 socket is shown
// as IPv4. A client of a unix socket has no name of its own: "unix:".
std::string ToString(const Endpoint& endpoint);

// The port, or 0 if there is none.
uint16_t PortOf(const Endpoint& endpoint);

}  // namespace spanloom::net
