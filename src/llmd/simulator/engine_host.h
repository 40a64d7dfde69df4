// SPDX-License-Identifier: Apache-2.0
//
// Runs an engine in real time, on a loop of its own, for requests that live on other loops: a step of thousands of
// sequences must not hold up connections.

#pragma once

#include <absl/functional/any_invocable.h>

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "llmd/simulator/engine.h"
#include "net/loop.h"

namespace spanloom::llmd::simulator {

// Thread-safe. Made and destroyed on a thread that is not a loop's; nothing is called back afterwards.
class EngineHost {
 public:
  // `api_loops`, `clock`, `metrics` and `events` must outlive it.
  EngineHost(const EngineOptions& options, Rng rng, net::LoopPool& api_loops, const Clock& clock,
             EngineMetrics& metrics, KvEventSink* events);
  ~EngineHost();

  // Queues sequences together. Their listener is called on the loop of `api_loops` that this is called on, and else on
  // the first one.
  void Add(std::vector<SequenceSpec> specs);

  void Abort(std::vector<SequenceId> ids);

  // As Engine::ResolvePeer, of several sequences.
  void ResolvePeer(std::vector<SequenceId> ids, Engine::PeerNews news);

  // As Engine::Release and Engine::ClearCache; `done` is called on the engine's loop.
  void Release(SequenceId id, absl::AnyInvocable<void(bool)> done);
  void ClearCache(absl::AnyInvocable<void(bool)> done);

  // As Engine::SetLatency, once the engine comes to it.
  void SetLatency(const LatencyOptions& latency);

  // The engine stands still while it sleeps: what is queued waits.
  void SetSleeping(bool sleeps);

  // Returns once everything that was asked of the engine before has been done, and its news are on their way.
  void Settle();

  [[nodiscard]] SequenceId NextId() { return last_id_.fetch_add(1, std::memory_order_relaxed) + 1; }

 private:
  class State;
  std::atomic<SequenceId> last_id_ = 0;
  const std::shared_ptr<State> state_;       // bound to the engine's loop; shared with tasks on it
  std::unique_ptr<net::LoopPool> own_loop_;  // of one loop
};

}  // namespace spanloom::llmd::simulator
