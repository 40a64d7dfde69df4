// SPDX-License-Identifier: Apache-2.0
//
// The imitated engine of vLLM: a waiting queue, a set of running sequences that get a token each in turn, a KV cache in
// blocks with a prefix cache, preemption when blocks run out, and transfers of blocks between engines. It has no clock,
// no thread and no socket: it is told the time, and says when it wants to be told again.

#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <tuple>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "llmd/simulator/adapter_use.h"
#include "llmd/simulator/block_pool.h"
#include "llmd/simulator/engine_metrics.h"
#include "llmd/simulator/latency_model.h"
#include "llmd/simulator/sequence.h"

namespace spanloom::llmd::simulator {

struct EngineOptions {
  LatencyOptions latency = {};
  size_t running_max = 5;             // --max-num-seqs
  size_t loras_max = 1;               // --max-loras; adapters that run at once
  size_t waiting_max = 1'000;         // --max-waiting-queue-length; more are refused
  size_t step_tokens_max = 2'048;     // --max-num-batched-tokens; of a step of LatencyCalculator::kBatch
  size_t blocks = 1'024;              // --kv-cache-size
  size_t block_tokens = 16;           // --block-size
  bool finds_blocks = false;          // a prefix cache
  int64_t lease_ns = 30'000'000'000;  // how long blocks are kept for another engine; vLLM's kv_lease_duration
};

// Where the engine's news go; called inside its calls, in order.
class EngineSink {
 public:
  virtual ~EngineSink() = default;
  virtual void OnToken(const SequenceSpec& sequence, int64_t at_ns) = 0;
  virtual void OnEnd(const SequenceSpec& sequence, const SequenceReport& report) = 0;
};

// Sequence-bound. Bounded by waiting_max, running_max and the blocks.
class Engine {
 public:
  // `sink`, `metrics` and `events` (which may be null) must outlive it.
  Engine(const EngineOptions& options, Rng rng, EngineSink& sink, EngineMetrics& metrics, KvEventSink* events);

  // Queues a sequence; ids are not to repeat. A refusal comes as its end.
  void Add(SequenceSpec spec, int64_t now_ns);

  // Ends a sequence that nobody wants any more, and frees what it holds; one that has ended already is left.
  void Abort(SequenceId id, int64_t now_ns);

  // What a sequence of `awaits_peer` waits for has come, and its transfer can begin; or it will not come: then its
  // prompt is computed here, or it fails. One that has ended is left.
  enum class PeerNews : uint8_t { kReady, kCompute, kFail };
  void ResolvePeer(SequenceId id, PeerNews news, int64_t now_ns);

  // The blocks that were kept under `id` have been fetched, or nobody will. False if there are none (any more).
  bool Release(SequenceId id);

  // Does what is due up to `now_ns`, but no more than `events_max` events. Returns when there is more to do: at once if
  // it is in the past; nullopt if nothing is.
  std::optional<int64_t> Advance(int64_t now_ns, size_t events_max);

  // How long it takes from `now_ns` on. What runs by itself keeps the times that it was given; a step is begun again.
  void SetLatency(const LatencyOptions& latency, int64_t now_ns);

  // Forgets the prefix cache; false if blocks are in use.
  bool ClearCache() { return pool_.Clear(); }

  [[nodiscard]] size_t waiting_count() const { return waiting_.size() + transferring_; }
  [[nodiscard]] size_t running_count() const { return running_.size(); }
  [[nodiscard]] const BlockPool& pool() const { return pool_; }

 private:
  struct Sequence {
    SequenceSpec spec;
    SequenceReport report;
    std::vector<BlockIndex> blocks;
    size_t computed = 0;       // tokens whose KV is in the blocks
    size_t scheduled = 0;      // tokens that the step under way computes
    size_t marked_blocks = 0;  // that can be found
    int64_t due_ns = 0;        // of its next token, where each runs by itself
    AdapterPlace place = AdapterPlace::kNone;
    FetchStage fetch = FetchStage::kNone;
    bool is_running = false;
    bool is_transferring = false;
    bool has_transferred = false;
    std::optional<PeerNews> peer = {};  // what was said of the peer
  };
  struct Due {
    int64_t at_ns = 0;
    SequenceId id = 0;
    bool operator>(const Due& other) const { return std::tie(at_ns, id) > std::tie(other.at_ns, other.id); }
  };
  using DueQueue = std::priority_queue<Due, std::vector<Due>, std::greater<>>;

  [[nodiscard]] std::optional<int64_t> NextNs() const;
  void RunOne(int64_t at_ns);
  void Schedule(int64_t at_ns);
  void ScheduleWaiting(int64_t at_ns, size_t& budget);
  bool Start(Sequence& sequence, int64_t at_ns, size_t& budget);
  [[nodiscard]] bool MissesThreshold(const Sequence& sequence) const;
  [[nodiscard]] bool HasAdapterSlot(const Sequence& sequence) const;
  void Place(Sequence& sequence, AdapterPlace place);
  void SetFetch(Sequence& sequence, FetchStage stage);
  void StartTransfer(Sequence& sequence, int64_t at_ns);
  void TimeTransfer(Sequence& sequence, int64_t at_ns);
  void EndTransfer(SequenceId id);
  void BeginStep(int64_t at_ns, size_t& budget);
  void EndStep(int64_t at_ns);
  void EmitToken(Sequence& sequence, int64_t at_ns);
  void CountPrompt(const Sequence& sequence);
  size_t CountDecodes() const;
  void ScheduleToken(Sequence& sequence, int64_t at_ns);
  bool GrowOrPreempt(Sequence& sequence);
  void Preempt(Sequence& sequence);
  void End(Sequence& sequence, SequenceEnd end, int64_t at_ns);
  void LeaveQueues(Sequence& sequence);
  void UpdateGauges();

  const EngineOptions options_;
  EngineSink& sink_;
  EngineMetrics& metrics_;
  LatencyModel latency_;
  BlockPool pool_;
  absl::flat_hash_map<SequenceId, std::unique_ptr<Sequence>> sequences_;
  std::deque<Sequence*> waiting_;
  std::vector<Sequence*> running_;  // in order of admission: the last is preempted first
  size_t transferring_ = 0;
  std::array<size_t, kFetchStages> fetches_ = {};  // sequences, by FetchStage
  AdapterUse adapters_;
  DueQueue tokens_;     // where each runs by itself; entries of sequences that are gone are left out when they come up
  DueQueue transfers_;  // the same
  DueQueue leases_;     // the same
  absl::flat_hash_map<SequenceId, std::vector<BlockIndex>> kept_;
  std::optional<int64_t> step_end_ns_;  // of the step under way
};

}  // namespace spanloom::llmd::simulator
