// SPDX-License-Identifier: Apache-2.0

#include "net/proxy.h"

#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>
#include <absl/strings/strip.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <cstdlib>
#include <utility>

#include "base/text.h"
#include "net/detail/endpoint.h"
#include "net/host_port.h"

namespace spanloom::net {
namespace {

constexpr uint16_t kHttpPort = 80;

std::string FromEither(const char* upper, const char* lower) {
  for (const char* name : {upper, lower}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return "";
}

// Of a URL's user or password: "%40" is "@". nullopt if what follows a "%" is no hexadecimal number.
std::optional<std::string> Unescaped(absl::string_view text) {
  std::string unescaped;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      unescaped.push_back(text[i]);
      continue;
    }
    uint32_t byte = 0;
    if (i + 2 >= text.size() || !absl::SimpleHexAtoi(text.substr(i + 1, 2), &byte)) return std::nullopt;
    unescaped.push_back(static_cast<char>(byte));
    i += 2;
  }
  return unescaped;
}

// The value of Proxy-Authorization for "USER:PASSWORD" as it stands in a URL (RFC 7617).
StatusOr<std::string> BasicAuthorization(absl::string_view user_info) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(user_info, absl::MaxSplits(':', 1));
  const std::optional<std::string> user = Unescaped(parts.first);
  const std::optional<std::string> password = Unescaped(parts.second);
  if (!user || !password) return absl::InvalidArgumentError("a \"%\" in the proxy's user or password escapes nothing");
  return StrCat("Basic ", absl::Base64Escape(StrCat(*user, ":", *password)));
}

Status CheckScheme(absl::string_view scheme) {
  if (absl::EqualsIgnoreCase(scheme, "http")) return absl::OkStatus();
  for (const char* known : {"https", "socks5", "socks5h"}) {
    if (!absl::EqualsIgnoreCase(scheme, known)) continue;
    return absl::UnimplementedError(StrCat("a proxy is spoken to over http:// only, not over ", known, "://"));
  }
  return absl::InvalidArgumentError("the proxy's URL has an unknown scheme; write http://HOST:PORT");
}

// "host:port" of a URL's authority, which may have no port.
StatusOr<std::string> EndpointOf(absl::string_view authority) {
  const size_t colon = authority.rfind(':');
  const size_t bracket = authority.rfind(']');
  const bool has_port = colon != absl::string_view::npos && (bracket == absl::string_view::npos || bracket < colon);
  const std::string endpoint = has_port ? std::string(authority) : StrCat(authority, ":", kHttpPort);
  const StatusOr<Target> target = ParseTarget(endpoint);
  if (!target.ok() || target->host.empty()) {
    return absl::InvalidArgumentError("the proxy's URL has no valid host and port; write http://HOST:PORT");
  }
  return endpoint;
}

// As one item of NO_PROXY has it: a name, an address or a network, perhaps with a port.
struct Exception {
  std::string host;
  std::optional<uint16_t> port;
};

Exception ParseException(absl::string_view item) {
  Exception exception{.host = absl::AsciiStrToLower(item), .port = std::nullopt};
  const StatusOr<Target> target = ParseTarget(exception.host);
  if (target.ok() && !target->host.empty()) {
    exception.host = target->host;
    exception.port = target->port;
  } else if (absl::ConsumePrefix(&item, "[") && absl::ConsumeSuffix(&item, "]")) {
    exception.host = std::string(item);
  }
  return exception;
}

bool IsInNetwork(const asio::ip::address& address, const std::string& network) {
  error_code error;
  if (address.is_v4()) {
    const auto v4 = asio::ip::make_network_v4(network, error);
    if (error) return false;
    return (address.to_v4().to_uint() & v4.netmask().to_uint()) == v4.network().to_uint();
  }
  const auto v6 = asio::ip::make_network_v6(network, error);
  if (error) return false;
  return asio::ip::make_network_v6(address.to_v6(), v6.prefix_length()).canonical() == v6.canonical();
}

bool NamesAddress(const Exception& exception, const asio::ip::address& address) {
  error_code error;
  if (exception.host.find('/') != std::string::npos) return IsInNetwork(address, exception.host);
  const asio::ip::address named = asio::ip::make_address(exception.host, error);
  return !error && named == address;
}

// "example.com" names itself and what is below it; ".example.com" and "*.example.com" what is below it alone.
bool NamesHost(absl::string_view name, absl::string_view host) {
  absl::ConsumePrefix(&name, "*");
  if (absl::StartsWith(name, ".")) return absl::EndsWith(host, name);
  return host == name || absl::EndsWith(host, StrCat(".", name));
}

}  // namespace

StatusOr<Proxy> ParseProxy(std::string_view url) {
  absl::string_view rest = AbslView(url);
  const size_t scheme_end = rest.find("://");
  if (scheme_end != absl::string_view::npos) {
    RETURN_IF_ERROR(CheckScheme(rest.substr(0, scheme_end)));
    rest.remove_prefix(scheme_end + 3);
  }
  rest = rest.substr(0, rest.find_first_of("/?#"));
  Proxy proxy;
  const size_t at = rest.rfind('@');
  if (at != absl::string_view::npos) {
    ASSIGN_OR_RETURN(proxy.authorization, BasicAuthorization(rest.substr(0, at)));
    rest.remove_prefix(at + 1);
  }
  ASSIGN_OR_RETURN(proxy.endpoint, EndpointOf(rest));
  return proxy;
}

ProxyRules ProxyRules::FromEnvironment() {
  return ProxyRules({.http_proxy = FromEither("HTTP_PROXY", "http_proxy"),
                     .https_proxy = FromEither("HTTPS_PROXY", "https_proxy"),
                     .no_proxy = FromEither("NO_PROXY", "no_proxy")});
}

const ProxyRules& ProxyRules::None() {
  static const ProxyRules none({});
  return none;
}

StatusOr<std::optional<Proxy>> ProxyRules::ProxyTo(std::string_view endpoint, Use use) const {
  const bool forwards = use == Use::kForward;
  const std::string& url = forwards ? variables_.http_proxy : variables_.https_proxy;
  const StatusOr<Target> target = ParseTarget(endpoint);
  if (url.empty() || !target.ok() || target->host.empty()) return std::nullopt;
  if (IsExcepted(absl::AsciiStrToLower(target->host), target->port)) return std::nullopt;
  StatusOr<Proxy> proxy = ParseProxy(url);
  if (!proxy.ok()) return Annotate(proxy.status(), forwards ? "HTTP_PROXY" : "HTTPS_PROXY");
  return *std::move(proxy);
}

bool ProxyRules::IsExcepted(std::string_view host, uint16_t port) const {
  error_code error;
  const asio::ip::address address = asio::ip::make_address(std::string(host), error);
  const bool is_address = !error;
  if (host == "localhost" || (is_address && address.is_loopback())) return true;
  for (absl::string_view item : absl::StrSplit(variables_.no_proxy, ',')) {
    item = absl::StripAsciiWhitespace(item);
    if (item.empty()) continue;
    if (item == "*") return true;
    const Exception exception = ParseException(item);
    if (exception.port && *exception.port != port) continue;
    if (is_address ? NamesAddress(exception, address) : NamesHost(exception.host, AbslView(host))) return true;
  }
  return false;
}

}  // namespace spanloom::net
