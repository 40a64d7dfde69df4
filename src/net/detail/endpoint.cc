// SPDX-License-Identifier: Apache-2.0

#include "net/detail/endpoint.h"

#include <absl/strings/numbers.h>

#include "base/text.h"

namespace spanloom::net {
namespace {

Status BadEndpoint(std::string_view endpoint, std::string_view reason) {
  return absl::InvalidArgumentError(
      StrCat("endpoint \"", endpoint, "\": ", reason, "; expected HOST:PORT, such as 127.0.0.1:4317 or [::1]:4317"));
}

bool MachineHasIpv6() {
  asio::io_context context;
  tcp::acceptor probe(context);
  error_code error;
  probe.open(tcp::v6(), error);
  return !error;
}

StatusOr<asio::ip::address> ResolveName(std::string_view endpoint, const std::string& host) {
  asio::io_context context;
  tcp::resolver resolver(context);
  error_code error;
  const auto found = resolver.resolve(host, "", error);
  if (error || found.empty()) return BadEndpoint(endpoint, StrCat("can't resolve the host: ", error.message()));
  for (const auto& entry : found) {
    if (entry.endpoint().address().is_v4()) return entry.endpoint().address();
  }
  return found.begin()->endpoint().address();
}

}  // namespace

StatusOr<HostPort> ParseHostPort(std::string_view endpoint) {
  const size_t colon = endpoint.rfind(':');
  if (colon == std::string_view::npos) return BadEndpoint(endpoint, "no port");
  std::string_view host = endpoint.substr(0, colon);
  uint32_t port = 0;
  if (!absl::SimpleAtoi(AbslView(endpoint.substr(colon + 1)), &port) || port > 65535) {
    return BadEndpoint(endpoint, "the port is not a number from 0 to 65535");
  }
  const bool in_brackets = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (in_brackets) host = host.substr(1, host.size() - 2);
  if (!in_brackets && host.find(':') != std::string_view::npos) {
    return BadEndpoint(endpoint, "an IPv6 address needs brackets");
  }
  return HostPort{std::string(host), static_cast<uint16_t>(port)};
}

StatusOr<tcp::endpoint> ResolveListenEndpoint(std::string_view endpoint) {
  ASSIGN_OR_RETURN(const HostPort parsed, ParseHostPort(endpoint));
  if (parsed.host.empty()) return tcp::endpoint(MachineHasIpv6() ? tcp::v6() : tcp::v4(), parsed.port);
  error_code error;
  const asio::ip::address literal = asio::ip::make_address(parsed.host, error);
  if (!error) return tcp::endpoint(literal, parsed.port);
  ASSIGN_OR_RETURN(const asio::ip::address address, ResolveName(endpoint, parsed.host));
  return tcp::endpoint(address, parsed.port);
}

std::string ToString(const tcp::endpoint& endpoint) {
  const asio::ip::address address = endpoint.address();
  if (address.is_v4()) return StrCat(address.to_string(), ":", endpoint.port());
  if (const auto v6 = address.to_v6(); v6.is_v4_mapped()) {
    return StrCat(asio::ip::make_address_v4(asio::ip::v4_mapped, v6).to_string(), ":", endpoint.port());
  }
  return StrCat("[", address.to_string(), "]:", endpoint.port());
}

}  // namespace spanloom::net
