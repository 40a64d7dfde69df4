// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/block_pool.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"

namespace spanloom::llmd::simulator {

BlockPool::BlockPool(size_t blocks, size_t block_tokens, bool finds_blocks, KvEventSink* sink)
    : block_tokens_(block_tokens), finds_blocks_(finds_blocks), sink_(sink), blocks_(blocks) {
  for (BlockIndex index = 0; index < blocks; ++index) Append(index);
}

void BlockPool::Append(BlockIndex index) {
  Block& block = blocks_[index];
  block.previous = newest_;
  block.next = kNone;
  (newest_ == kNone ? oldest_ : blocks_[newest_].next) = index;
  newest_ = index;
  ++free_count_;
}

void BlockPool::Unlink(BlockIndex index) {
  const Block& block = blocks_[index];
  (block.previous == kNone ? oldest_ : blocks_[block.previous].next) = block.next;
  (block.next == kNone ? newest_ : blocks_[block.next].previous) = block.previous;
  --free_count_;
}

BlockIndex BlockPool::TakeOldest() {
  const BlockIndex index = oldest_;
  CHECK(index != kNone);
  Unlink(index);
  Block& block = blocks_[index];
  if (block.has_hash) {
    found_by_hash_.erase(block.hash);
    block.has_hash = false;
    if (sink_ != nullptr) sink_->Take(wire::BlockRemoved{.hashes = {block.hash}});
  }
  block.users = 1;
  return index;
}

void BlockPool::Use(BlockIndex index) {
  if (blocks_[index].users++ == 0) Unlink(index);
}

size_t BlockPool::CountFound(std::span<const uint64_t> hashes) const {
  if (!finds_blocks_) return 0;
  size_t count = 0;
  while (count < hashes.size() && found_by_hash_.contains(hashes[count])) ++count;
  return count;
}

bool BlockPool::Begin(std::span<const uint64_t> hashes, size_t found, size_t tokens, std::vector<BlockIndex>& held) {
  size_t taken_from_free = BlocksFor(tokens) - found;
  for (const uint64_t hash : hashes.first(found)) {
    if (blocks_[found_by_hash_.at(hash)].users == 0) ++taken_from_free;
  }
  if (taken_from_free > free_count_) return false;
  for (const uint64_t hash : hashes.first(found)) {
    held.push_back(found_by_hash_.at(hash));
    Use(held.back());
  }
  return Grow(tokens, held);
}

bool BlockPool::Grow(size_t tokens, std::vector<BlockIndex>& held) {
  const size_t wanted = BlocksFor(tokens);
  if (wanted <= held.size()) return true;
  if (wanted - held.size() > free_count_) return false;
  while (held.size() < wanted) held.push_back(TakeOldest());
  return true;
}

// True if `index` can now be found by `hash`. Equal content may be computed twice at once: then the first one is found.
bool BlockPool::MarkOne(BlockIndex index, uint64_t hash) {
  Block& block = blocks_[index];
  if (block.has_hash || !found_by_hash_.emplace(hash, index).second) return false;
  block.has_hash = true;
  block.hash = hash;
  return true;
}

size_t BlockPool::MarkComputed(const BlockContents& contents, size_t tokens, size_t marked,
                               const std::vector<BlockIndex>& held) {
  const size_t full = std::min({tokens / block_tokens_, contents.hashes.size(), held.size()});
  if (!finds_blocks_ || full <= marked) return marked;
  size_t begin = marked;  // of blocks that stand one behind the other in an event
  for (size_t i = marked; i < full; ++i) {
    if (MarkOne(held[i], contents.hashes[i])) continue;
    TellStored(contents, begin, i);
    begin = i + 1;
  }
  TellStored(contents, begin, full);
  return full;
}

void BlockPool::TellStored(const BlockContents& contents, size_t begin, size_t end) const {
  if (sink_ == nullptr || begin == end) return;
  wire::BlockStored event{.block_tokens = block_tokens_, .lora_name = std::string(contents.lora_name)};
  if (begin > 0) event.parent = contents.hashes[begin - 1];
  const auto hashes = contents.hashes.subspan(begin, end - begin);
  event.hashes.assign(hashes.begin(), hashes.end());
  const auto tokens = contents.tokens.subspan(begin * block_tokens_, (end - begin) * block_tokens_);
  event.tokens.assign(tokens.begin(), tokens.end());
  sink_->Take(std::move(event));
}

void BlockPool::Free(std::vector<BlockIndex>& held) {
  for (auto index = held.rbegin(); index != held.rend(); ++index) {
    CHECK(blocks_[*index].users > 0);
    if (--blocks_[*index].users == 0) Append(*index);
  }
  held.clear();
}

bool BlockPool::Clear() {
  if (free_count_ != blocks_.size()) return false;
  for (Block& block : blocks_) block.has_hash = false;
  found_by_hash_.clear();
  if (sink_ != nullptr) sink_->Take(wire::AllBlocksCleared{});
  return true;
}

}  // namespace spanloom::llmd::simulator
