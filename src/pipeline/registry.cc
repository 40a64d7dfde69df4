// SPDX-License-Identifier: Apache-2.0

#include "pipeline/registry.h"

#include <utility>

#include "net/host_port.h"

namespace spanloom::pipeline {

Carries EverySignal() {
  Carries every;
  every.pairs.clear();
  for (const otlp::Signal signal : otlp::kSignals) every.pairs.push_back({signal, signal});
  return every;
}

std::string ListenEndpoint(const std::string& endpoint, const BuildContext& context, uint16_t port) {
  return endpoint.empty() ? net::JoinHostPort(context.default_host, port) : endpoint;
}

void AddClaim(std::string endpoint, std::vector<std::string>& claims) {
  if (!endpoint.ends_with(":0")) claims.push_back(std::move(endpoint));
}

}  // namespace spanloom::pipeline
