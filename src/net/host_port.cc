// SPDX-License-Identifier: Apache-2.0

#include "net/host_port.h"

#include "base/text.h"

namespace spanloom::net {

std::string JoinHostPort(std::string_view host, uint16_t port) {
  const bool is_bare_ipv6 = host.find(':') != std::string_view::npos && !host.starts_with('[');
  return is_bare_ipv6 ? StrCat("[", host, "]:", port) : StrCat(host, ":", port);
}

std::string_view HostOf(std::string_view endpoint) {
  const size_t colon = endpoint.rfind(':');
  if (colon == std::string_view::npos || endpoint.starts_with("unix")) return {};
  std::string_view host = endpoint.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

}  // namespace spanloom::net
