// SPDX-License-Identifier: Apache-2.0
//
// A model server without a model: vLLM's HTTP API in front of imitated engines, one for each rank of data parallelism,
// with vLLM's metrics, KV events and spans. Manual: docs/simulator.md.

#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <vector>

#include "base/clock.h"
#include "llmd/simulator/bootstrap_server.h"
#include "llmd/simulator/meetings.h"
#include "llmd/simulator/options.h"
#include "llmd/simulator/rank.h"
#include "net/loop.h"
#include "sdk/tracer.h"

namespace spanloom::llmd::simulator {

// Made, stopped and destroyed on a thread that is not a loop's.
class Simulator {
 public:
  // Rank r listens at the port of options.endpoint and r, or, if that is 0, at any. `outlets` has one entry a rank, and
  // decides how many there are. All arguments but `options` must outlive it. Errors: those of Validate and of
  // net::Server::Create.
  static StatusOr<std::unique_ptr<Simulator>> Create(const SimulatorOptions& options, net::LoopPool& loops,
                                                     std::span<const RankOutlets> outlets, const Clock& clock,
                                                     const sdk::Tracer& tracer);
  ~Simulator();

  // Takes no more requests, and waits for those under way for at most `grace`. Returns how many were cut off.
  size_t Stop(std::chrono::milliseconds grace);

 private:
  Simulator(net::LoopPool& loops, const Clock& clock) : loops_(loops), meetings_(clock) {}
  Status OpenBootstrapServer(const SimulatorOptions& options);

  net::LoopPool& loops_;
  std::unique_ptr<LiveOptions> live_;
  std::vector<std::unique_ptr<Rank>> ranks_;
  std::vector<const Serving*> servings_;  // of ranks_
  Meetings meetings_;
  std::unique_ptr<BootstrapServer> bootstrap_;  // null: there is none
};

}  // namespace spanloom::llmd::simulator
