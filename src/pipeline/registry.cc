// SPDX-License-Identifier: Apache-2.0

#include "pipeline/registry.h"

#include "base/text.h"

namespace spanloom::pipeline {

std::string ListenEndpoint(const std::string& endpoint, const BuildContext& context, uint16_t port) {
  if (!endpoint.empty()) return endpoint;
  const bool bare_ipv6 = context.default_host.find(':') != std::string::npos && !context.default_host.starts_with('[');
  return bare_ipv6 ? StrCat("[", context.default_host, "]:", port) : StrCat(context.default_host, ":", port);
}

}  // namespace spanloom::pipeline
