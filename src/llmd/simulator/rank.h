// SPDX-License-Identifier: Apache-2.0
//
// One rank of data parallelism: an engine with vLLM's HTTP API at a port of its own. A server without data parallelism
// has one.

#pragma once

#include <atomic>
#include <chrono>
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

// Where a rank's own news go. All must outlive it.
struct RankOutlets {
  MetricRegistry* metrics = nullptr;  // not null; what its port shows
  KvEventSink* events = nullptr;      // null: nobody wants them
};

// Made, opened, stopped and destroyed on a thread that is not a loop's.
class Rank {
 public:
  // `options` are valid, and already this rank's. The rest must outlive it.
  Rank(SimulatorOptions options, net::LoopPool& loops, const RankOutlets& outlets, const Clock& clock,
       const sdk::Tracer& tracer);
  ~Rank();

  [[nodiscard]] const Serving& serving() const { return serving_; }
  [[nodiscard]] MetricRegistry& metrics() { return metrics_; }

  // Where prefills are asked for by name; must outlive it. Before Open.
  void SetMeetings(Meetings& meetings) { serving_.meetings = &meetings; }

  // What may change of the options while it runs, of all ranks; must outlive it. Before Open.
  void SetLiveOptions(LiveOptions& live) { serving_.live = &live; }

  // Listens at options.endpoint. `ranks` are those that a request may ask for by their number, and must outlive it.
  // Errors: those of net::Server::Create.
  Status Open(std::span<const Serving* const> ranks);

  [[nodiscard]] const std::string& endpoint() const { return server_->endpoint(); }

  // Takes no more requests, and waits for those under way for at most `grace`. Returns how many were cut off.
  size_t Stop(std::chrono::milliseconds grace);

  // The steps of an end, each for all ranks before the next: a request of one may be with the engine of another.
  void CloseSideChannel() { side_channel_.reset(); }
  void SettleEngine() { engine_.Settle(); }

 private:
  Status OpenSideChannel();

  const SimulatorOptions options_;
  MetricRegistry& metrics_;
  EngineMetrics engine_metrics_;
  const wire::BlockHasher hasher_;
  ModelNames names_;
  std::atomic<uint64_t> request_count_ = 0;
  EngineHost engine_;
  std::unique_ptr<SideChannel> side_channel_;  // null: there is none
  Serving serving_;
  Api api_;
  std::unique_ptr<net::Server> server_;  // null until it is opened
};

// Waits until each loop has done what it had to do.
void SettleLoops(net::LoopPool& loops);

}  // namespace spanloom::llmd::simulator
