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

}  // namespace spanloom::net
