// SPDX-License-Identifier: Apache-2.0

#include "net/host_port.h"

#include "base/text.h"

namespace spanloom::net {

std::string JoinHostPort(std::string_view host, uint16_t port) {
  const bool is_bare_ipv6 = host.find(':') != std::string_view::npos && !host.starts_with('[');
  return is_bare_ipv6 ? StrCat("[", host, "]:", port) : StrCat(host, ":", port);
}

}  // namespace spanloom::net
