// SPDX-License-Identifier: Apache-2.0
//
// The sidecar of a decode pod in llm-d: it answers the OpenAI API in place of the model server beside it, and asks a
// prefill pod first where the scheduler's headers say so. Everything else is passed to the model server.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/status.h"
#include "llmd/routing_proxy/allow_list.h"
#include "llmd/routing_proxy/proxy_options.h"
#include "net/loop.h"
#include "sdk/tracer.h"

namespace spanloom::llmd::routing_proxy {

// Create, Stop and the destructor are called from a thread that is not a loop's.
class RoutingProxy {
 public:
  // What it works with; all of it must outlive the proxy.
  struct Surroundings {
    net::LoopPool& loops;
    MetricRegistry& metrics;
    const Clock& clock;
    const sdk::Tracer& tracer;
    const AllowList& allow_list;
  };

  // Listens, on a port for each rank. Errors: those of net::Server::Create and net::HttpClient::Create.
  static StatusOr<std::unique_ptr<RoutingProxy>> Create(ProxyOptions options, Surroundings surroundings);
  ~RoutingProxy();

  // The port of a rank.
  [[nodiscard]] uint16_t port(size_t rank = 0) const;

  // Says at /readyz that no more requests are wanted, and refuses none.
  void BeginDrain();

  // Takes no further connections, and waits for requests under way for at most `grace`. Returns how many were cut off.
  size_t Stop(std::chrono::milliseconds grace);

 private:
  class State;
  explicit RoutingProxy(std::unique_ptr<State> state);
  const std::unique_ptr<State> state_;
};

}  // namespace spanloom::llmd::routing_proxy
