// SPDX-License-Identifier: Apache-2.0
//
// What the requests of a proxy share: all of them, and those of one loop.

#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/rng.h"
#include "llmd/routing_proxy/allow_list.h"
#include "llmd/routing_proxy/proxy_metrics.h"
#include "llmd/routing_proxy/proxy_options.h"
#include "llmd/routing_proxy/upstreams.h"
#include "net/loop.h"
#include "sdk/tracer.h"

namespace spanloom::llmd::routing_proxy {

class PrefillLeg;

// Thread-safe; outlives every request.
struct ProxyShared {
  const ProxyOptions& options;
  net::LoopPool& loops;
  const Clock& clock;
  const sdk::Tracer& tracer;
  const AllowList& allow_list;
  ProxyMetrics& metrics;
  const std::atomic<uint16_t>* ports;  // [data_parallel_size], of the listeners; 0: it does not listen yet
};

// The engine of each data-parallel rank of a prefill pod, as its bootstrap server says.
struct MooncakeEngines {
  std::unordered_map<std::string, std::string> id_by_rank;
  int64_t known_steady_ns = 0;
};

// Sequence-bound: its loop.
struct ProxyLoop {
  ProxyLoop(ProxyShared& all, std::unique_ptr<Upstreams> own_upstreams, uint64_t seed)
      : shared(all), upstreams(std::move(own_upstreams)), rng(seed) {}

  [[nodiscard]] net::Loop& loop() const { return upstreams->loop(); }

  ProxyShared& shared;
  std::unique_ptr<Upstreams> upstreams;
  Rng rng;
  std::unordered_map<std::string, MooncakeEngines> engines;  // by prefill target, a few hundred at most
  std::list<std::shared_ptr<PrefillLeg>> lingering;          // prefill legs whose request has its whole answer
};

}  // namespace spanloom::llmd::routing_proxy
