// SPDX-License-Identifier: Apache-2.0
//
// The blocks of a KV cache and which of them still hold what: those of running sequences, and those that nobody uses
// but whose content can be found again by its hash, until the block is needed. The rules are vLLM's: the block that has
// been free longest is taken first, and of a sequence that ends its last block is the first to go.

#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "llmd/wire/kv_event.h"

namespace spanloom::llmd::simulator {

using BlockIndex = uint32_t;

// Told what can be found in the cache. On the engine's loop; must not block.
class KvEventSink {
 public:
  virtual ~KvEventSink() = default;
  virtual void Take(wire::KvEvent event) = 0;
};

// What is written into a sequence's full blocks: hash and tokens.
struct BlockContents {
  std::span<const uint64_t> hashes = {};       // [full blocks] of prompt and answer
  std::span<const wire::TokenId> tokens = {};  // of prompt and answer
  std::string_view lora_name = {};
};

// Sequence-bound: the engine. Bounded by its count of blocks.
class BlockPool {
 public:
  // `finds_blocks`: whether blocks are kept to be found. `sink` may be null, and must outlive the pool.
  BlockPool(size_t blocks, size_t block_tokens, bool finds_blocks, KvEventSink* sink);

  [[nodiscard]] size_t block_tokens() const { return block_tokens_; }
  [[nodiscard]] size_t block_count() const { return blocks_.size(); }
  [[nodiscard]] size_t free_count() const { return free_count_; }
  // The share of blocks that sequences use, 0 to 1.
  [[nodiscard]] double usage() const {
    return 1 - static_cast<double>(free_count_) / static_cast<double>(blocks_.size());
  }
  [[nodiscard]] size_t BlocksFor(size_t tokens) const { return (tokens + block_tokens_ - 1) / block_tokens_; }

  // How many of `hashes`, from the first on, can be found.
  [[nodiscard]] size_t CountFound(std::span<const uint64_t> hashes) const;

  // Makes `held`, the blocks of a sequence, hold `tokens` tokens: the first `found` come from the cache, the rest are
  // taken. Returns false and changes nothing if there are too few free ones.
  [[nodiscard]] bool Begin(std::span<const uint64_t> hashes, size_t found, size_t tokens,
                           std::vector<BlockIndex>& held);

  // The same for a sequence that has blocks and needs more.
  [[nodiscard]] bool Grow(size_t tokens, std::vector<BlockIndex>& held);

  // The first `tokens` tokens of `held` are computed: full blocks can be found from now on. `marked` is how many blocks
  // were marked before; returns how many are now.
  size_t MarkComputed(const BlockContents& contents, size_t tokens, size_t marked, const std::vector<BlockIndex>& held);

  // Nobody of the sequence needs them any more.
  void Free(std::vector<BlockIndex>& held);

  // Forgets what nobody uses; as vLLM's reset of its prefix cache. False if sequences run: then nothing is forgotten.
  bool Clear();

 private:
  static constexpr BlockIndex kNone = std::numeric_limits<BlockIndex>::max();
  struct Block {
    uint64_t hash = 0;
    bool has_hash = false;
    uint32_t users = 0;
    BlockIndex previous = kNone;  // in the list of free blocks
    BlockIndex next = kNone;
  };

  void Append(BlockIndex index);  // to the free ones
  void Unlink(BlockIndex index);  // from the free ones
  BlockIndex TakeOldest();
  void Use(BlockIndex index);
  bool MarkOne(BlockIndex index, uint64_t hash);
  void TellStored(const BlockContents& contents, size_t begin, size_t end) const;

  const size_t block_tokens_;
  const bool finds_blocks_;
  KvEventSink* const sink_;
  std::vector<Block> blocks_;
  BlockIndex oldest_ = kNone;  // of the free ones
  BlockIndex newest_ = kNone;
  size_t free_count_ = 0;
  absl::flat_hash_map<uint64_t, BlockIndex> found_by_hash_;  // at most one a block
};

}  // namespace spanloom::llmd::simulator
