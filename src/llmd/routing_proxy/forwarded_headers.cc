// SPDX-License-Identifier: Apache-2.0

#include "llmd/routing_proxy/forwarded_headers.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/text.h"
#include "llmd/wire/headers.h"
#include "net/host_port.h"

namespace spanloom::llmd::routing_proxy {
namespace {

constexpr std::string_view kForwardedFor = "x-forwarded-for";

bool IsOfConnection(std::string_view name) {
  constexpr std::string_view kNames[] = {"connection", "keep-alive",         "proxy-connection", "te",
                                         "trailer",    "transfer-encoding",  "upgrade",          "content-length",
                                         "expect",     "proxy-authorization"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

// What the connection header names is the connection's too.
bool IsNamed(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const std::string_view item = list.substr(0, list.find(','));
    list.remove_prefix(std::min(item.size() + 1, list.size()));
    if (absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(AbslView(item)), AbslView(name))) return true;
  }
  return false;
}

std::string ForwardedFor(const net::HttpRequest& request) {
  std::string addresses;
  for (const auto& [name, value] : request.headers.fields()) {
    if (name == kForwardedFor && !value.empty()) StrAppend(addresses, value, ", ");
  }
  return StrCat(addresses, net::HostOf(request.peer));
}

}  // namespace

net::HttpHeaders ForwardedHeaders(const net::HttpRequest& request, std::string_view request_id) {
  const std::string_view connection = request.headers.Get("connection");
  net::HttpHeaders headers;
  for (const auto& [name, value] : request.headers.fields()) {
    if (IsOfConnection(name) || wire::IsRoutingHeader(name) || name == kForwardedFor) continue;
    if (!connection.empty() && IsNamed(connection, name)) continue;
    if (!request_id.empty() && name == wire::kRequestIdHeader) continue;
    headers.Add(name, value);
  }
  if (!request_id.empty()) headers.Add(std::string(wire::kRequestIdHeader), std::string(request_id));
  headers.Add(std::string(kForwardedFor), ForwardedFor(request));
  return headers;
}

}  // namespace spanloom::llmd::routing_proxy
