// SPDX-License-Identifier: Apache-2.0

#include "net/detail/endpoint.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

#include "base/check.h"
#include "base/text.h"

namespace spanloom::net {
namespace {

constexpr std::string_view kUnixScheme = "unix:";
constexpr std::string_view kAbstractScheme = "unix-abstract:";
constexpr std::string_view kIpv4Scheme = "ipv4:";  // as long as the next
constexpr std::string_view kIpv6Scheme = "ipv6:";
constexpr size_t kUnixPathBytesMax = sizeof(sockaddr_un::sun_path) - 1;  // unix(7)

Status BadEndpoint(std::string_view endpoint, std::string_view reason) {
  return absl::InvalidArgumentError(StrCat("endpoint \"", endpoint, "\": ", reason,
                                           "; expected HOST:PORT, such as 127.0.0.1:4317 or [::1]:4317, or a unix "
                                           "socket, such as unix:/run/spanloom.sock"));
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

StatusOr<Target> ParseUnix(std::string_view endpoint, std::string path) {
  if (path.empty() || path == std::string_view("\0", 1)) return BadEndpoint(endpoint, "no path");
  if (path.find('\0', 1) != std::string::npos) return BadEndpoint(endpoint, "a zero byte in the path");
  if (path.size() > kUnixPathBytesMax) {
    return BadEndpoint(endpoint, StrCat("the path is longer than ", kUnixPathBytesMax, " bytes"));
  }
  Target target;
  target.unix_path = std::move(path);
  return target;
}

// The TCP address in `endpoint`, which must be one.
tcp::endpoint TcpEndpoint(const Endpoint& endpoint) {
  tcp::endpoint address;
  CHECK(endpoint.size() <= address.capacity());
  std::memcpy(address.data(), endpoint.data(), endpoint.size());
  return address;
}

std::string UnixText(const Endpoint& endpoint) {
  constexpr size_t kPathOffset = offsetof(sockaddr_un, sun_path);
  const size_t bytes = endpoint.size() > kPathOffset ? endpoint.size() - kPathOffset : 0;
  const char* path = reinterpret_cast<const char*>(endpoint.data()) + kPathOffset;
  if (bytes > 0 && path[0] == '\0') return StrCat(kAbstractScheme, std::string_view(path + 1, bytes - 1));
  const std::string_view name(path, strnlen(path, bytes));
  // "unix://" begins the other spelling, whose path follows it.
  return StrCat(kUnixScheme, name.starts_with("//") ? "//" : "", name);
}

StatusOr<Target> ParseHostPort(std::string_view endpoint) {
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
  Target target;
  target.host = host;
  target.port = static_cast<uint16_t>(port);
  return target;
}

StatusOr<Target> ParseAddresses(std::string_view endpoint, bool is_v6) {
  Target target;
  for (const absl::string_view item : absl::StrSplit(AbslView(endpoint.substr(kIpv4Scheme.size())), ',')) {
    ASSIGN_OR_RETURN(const Target parsed, ParseHostPort(StdView(item)));
    error_code error;
    const asio::ip::address address = asio::ip::make_address(parsed.host, error);
    if (error || address.is_v6() != is_v6) {
      return BadEndpoint(endpoint, StrCat("\"", item, "\" is not an ", is_v6 ? "IPv6" : "IPv4", " address"));
    }
    target.addresses.emplace_back(address, parsed.port);
  }
  return target;
}

}  // namespace

StatusOr<Target> ParseTarget(std::string_view endpoint) {
  if (endpoint.starts_with(kIpv4Scheme)) return ParseAddresses(endpoint, false);
  if (endpoint.starts_with(kIpv6Scheme)) return ParseAddresses(endpoint, true);
  if (endpoint.starts_with(kAbstractScheme)) {
    return ParseUnix(endpoint, std::string(1, '\0').append(endpoint.substr(kAbstractScheme.size())));
  }
  if (endpoint.starts_with(kUnixScheme)) {
    std::string_view path = endpoint.substr(kUnixScheme.size());
    if (path.starts_with("//")) {
      path.remove_prefix(2);
      if (!path.starts_with('/')) return BadEndpoint(endpoint, "the path after unix:// must be absolute");
    }
    return ParseUnix(endpoint, std::string(path));
  }
  return ParseHostPort(endpoint);
}

StatusOr<Endpoint> ResolveListenEndpoint(const Target& target, std::string_view endpoint) {
  if (target.is_unix()) return UnixEndpoint(target);
  if (!target.addresses.empty()) return BadEndpoint(endpoint, "a server listens on one address");
  if (target.host.empty()) return tcp::endpoint(MachineHasIpv6() ? tcp::v6() : tcp::v4(), target.port);
  error_code error;
  const asio::ip::address literal = asio::ip::make_address(target.host, error);
  if (!error) return tcp::endpoint(literal, target.port);
  ASSIGN_OR_RETURN(const asio::ip::address address, ResolveName(endpoint, target.host));
  return tcp::endpoint(address, target.port);
}

Endpoint UnixEndpoint(const Target& target) {
  return asio::local::stream_protocol::endpoint(target.unix_path);
}

std::string_view AuthorityOf(const Target& target, std::string_view endpoint) {
  if (target.is_unix()) return "localhost";
  return target.addresses.empty() ? endpoint : endpoint.substr(kIpv4Scheme.size());
}

std::string ToString(const Endpoint& endpoint) {
  if (endpoint.protocol().family() == AF_UNIX) return UnixText(endpoint);
  const tcp::endpoint tcp_endpoint = TcpEndpoint(endpoint);
  const asio::ip::address address = tcp_endpoint.address();
  if (address.is_v4()) return StrCat(address.to_string(), ":", tcp_endpoint.port());
  if (const auto v6 = address.to_v6(); v6.is_v4_mapped()) {
    return StrCat(asio::ip::make_address_v4(asio::ip::v4_mapped, v6).to_string(), ":", tcp_endpoint.port());
  }
  return StrCat("[", address.to_string(), "]:", tcp_endpoint.port());
}

uint16_t PortOf(const Endpoint& endpoint) {
  return endpoint.protocol().family() == AF_UNIX ? 0 : TcpEndpoint(endpoint).port();
}

}  // namespace spanloom::net
