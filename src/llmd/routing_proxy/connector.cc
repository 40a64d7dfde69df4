// SPDX-License-Identifier: Apache-2.0

#include "llmd/routing_proxy/connector.h"

#include <string>

#include "base/text.h"

namespace spanloom::llmd::routing_proxy {

std::string_view NameOf(Connector connector) {
  switch (connector) {
    case Connector::kNixlV2:
      return "nixlv2";
    case Connector::kSharedStorage:
      return "shared-storage";
    case Connector::kLmCache:
      return "lmcache";
    case Connector::kSglang:
      return "sglang";
    case Connector::kMooncake:
      return "mooncake";
  }
  return "";
}

StatusOr<Connector> ParseConnector(std::string_view name) {
  std::string names;
  for (const Connector connector : kConnectors) {
    if (NameOf(connector) == name) return connector;
    StrAppend(names, names.empty() ? "" : ", ", NameOf(connector));
  }
  return absl::InvalidArgumentError(StrCat("no connector '", name, "'; there are: ", names));
}

}  // namespace spanloom::llmd::routing_proxy
