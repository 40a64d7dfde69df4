// SPDX-License-Identifier: Apache-2.0
//
// Proxies that requests go out through: by HTTP_PROXY, HTTPS_PROXY and NO_PROXY (or in lower case), which mean what
// they mean to Go's clients (golang.org/x/net/http/httpproxy), and so to the Collector; or by a URL.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/status.h"

namespace spanloom::net {

struct Proxy {
  std::string endpoint;       // "proxy.example:3128"
  std::string authorization;  // the value of Proxy-Authorization, "" for none; never shown
};

// "http://[USER:PASSWORD@]HOST[:PORT]", or without the scheme; the port is 80 if it is left out. Errors, which do not
// repeat the URL: kInvalidArgument, and kUnimplemented for a proxy that is spoken to in another way (https, socks5).
StatusOr<Proxy> ParseProxy(std::string_view url);

// What the variables say. Immutable.
class ProxyRules {
 public:
  struct Variables {
    std::string http_proxy = {};
    std::string https_proxy = {};
    std::string no_proxy = {};
  };

  // How a proxy is used.
  enum class Use {
    kForward,  // requests of HTTP without TLS, whose target names the server: HTTP_PROXY
    kTunnel,   // TLS and gRPC, through CONNECT: HTTPS_PROXY
  };

  explicit ProxyRules(Variables variables) : variables_(std::move(variables)) {}

  // By the environment of the process; a variable in upper case is preferred.
  static ProxyRules FromEnvironment();

  // None.
  static const ProxyRules& None();

  // The proxy to `endpoint`, "HOST:PORT"; nullopt if there is none for it: for this machine itself (localhost and
  // loopback addresses), for a unix socket or a list of addresses, and for what NO_PROXY names. Errors: those of
  // ParseProxy, with the variable's name.
  [[nodiscard]] StatusOr<std::optional<Proxy>> ProxyTo(std::string_view endpoint, Use use) const;

 private:
  [[nodiscard]] bool IsExcepted(std::string_view host, uint16_t port) const;

  Variables variables_;
};

}  // namespace spanloom::net
