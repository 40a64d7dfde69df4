// SPDX-License-Identifier: Apache-2.0
//
// A model server without a model: vLLM's HTTP API in front of an imitated engine, with vLLM's metrics, KV events and
// spans. Manual: docs/simulator.md.

#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "llmd/simulator/api.h"
#include "llmd/simulator/engine_host.h"
#include "llmd/simulator/model_names.h"
#include "llmd/simulator/options.h"
#include "net/loop.h"
#include "net/server.h"
#include "sdk/tracer.h"

namespace spanloom::llmd::simulator {

// Made, stopped and destroyed on a thread that is not a loop's.
class Simulator {
 public:
  // Listens at options.endpoint. All arguments but `options` must outlive it; `events` may be null. Errors: those of
  // Validate and of net::Server::Create.
  static StatusOr<std::unique_ptr<Simulator>> Create(SimulatorOptions options, net::LoopPool& loops,
                                                     MetricRegistry& metrics, const Clock& clock,
                                                     const sdk::Tracer& tracer, KvEventSink* events);
  ~Simulator();

  [[nodiscard]] const std::string& endpoint() const { return server_->endpoint(); }

  // Takes no more requests, and waits for those under way for at most `grace`. Returns how many were cut off.
  size_t Stop(std::chrono::milliseconds grace) { return server_->Stop(grace); }

 private:
  Simulator(SimulatorOptions options, net::LoopPool& loops, MetricRegistry& metrics, const Clock& clock,
            const sdk::Tracer& tracer, KvEventSink* events);
  void SettleLoops();
  Status OpenSideChannel(net::LoopPool& loops, MetricRegistry& metrics);

  const SimulatorOptions options_;
  EngineMetrics engine_metrics_;
  const wire::BlockHasher hasher_;
  ModelNames names_;
  std::atomic<uint64_t> request_count_ = 0;
  EngineHost engine_;
  std::unique_ptr<SideChannel> side_channel_;  // null: there is none
  Serving serving_;
  Api api_;
  std::unique_ptr<net::Server> server_;
};

}  // namespace spanloom::llmd::simulator
