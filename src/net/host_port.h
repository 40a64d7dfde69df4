// SPDX-License-Identifier: Apache-2.0
//
// Endpoints as text.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace spanloom::net {

// "localhost:4317", "[::1]:4317": an IPv6 address is put in brackets unless it has them.
std::string JoinHostPort(std::string_view host, uint16_t port);

// The host of "address:port", without brackets; "" if there is no port, as of a unix socket.
std::string_view HostOf(std::string_view endpoint);

}  // namespace spanloom::net
