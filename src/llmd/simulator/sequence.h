// SPDX-License-Identifier: Apache-2.0
//
// One prompt with one answer, as the engine sees it: what there is to do, what came of it, and who wants to know. A
// request has one for each prompt and choice.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "llmd/simulator/block_pool.h"

namespace spanloom::llmd::simulator {

using SequenceId = uint64_t;

// When things happened, in the engine's steady time; 0: not yet.
struct SequenceTimes {
  int64_t queued_ns = 0;
  int64_t scheduled_ns = 0;  // for the first time
  int64_t first_token_ns = 0;
  int64_t last_token_ns = 0;
};

enum class SequenceEnd : uint8_t {
  kFinished,        // every token of its plan has come
  kRefused,         // the waiting queue is full
  kTooLong,         // it can never have the blocks that it needs
  kTransferFailed,  // the blocks that it was to fetch are not there
  kBelowThreshold,  // too little of its prompt is in the cache; it was not computed
  kAborted,
};

// How a sequence ended.
struct SequenceReport {
  SequenceEnd end = SequenceEnd::kFinished;
  SequenceTimes times = {};
  size_t generated = 0;
  size_t preemptions = 0;                    // of this sequence
  size_t cached_tokens = 0;                  // of the prompt, found in the cache when it was scheduled first
  size_t transferred_tokens = 0;             // of the prompt, fetched from another engine
  std::vector<BlockIndex> kept_blocks = {};  // for another engine to fetch
};

// Who wants to know. Called in order; where, is the engine's owner's to say.
class SequenceListener {
 public:
  virtual ~SequenceListener() = default;
  // The next token of the sequence `index` of this listener has come.
  virtual void OnToken(size_t index, int64_t at_ns) = 0;
  virtual void OnEnd(size_t index, const SequenceReport& report) = 0;
};

struct SequenceSpec {
  SequenceId id = 0;
  std::vector<wire::TokenId> tokens = {};  // of the prompt, and behind them of the answer
  size_t prompt_tokens = 0;                // at least 1, and fewer than all
  std::vector<uint64_t> hashes = {};       // of the full blocks of `tokens`; empty if none are looked for
  std::string lora_name = {};
  bool is_pooled = false;                           // no answer is made: its one token only says that prefill is over
  bool keeps_blocks = false;                        // do_remote_decode
  double cache_hit_threshold = 0;                   // it ends unless that share of its prompt is in the cache
  std::optional<size_t> remote_tokens = {};         // do_remote_prefill: how many are there to be fetched
  bool awaits_peer = false;                         // its transfer begins when Engine::ResolvePeer says so
  std::shared_ptr<SequenceListener> listener = {};  // shared with whoever answers the request
  size_t index = 0;                                 // which of the listener's
};

}  // namespace spanloom::llmd::simulator
