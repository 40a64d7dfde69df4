// SPDX-License-Identifier: Apache-2.0
//
// Hashes of full blocks of the KV cache, as vLLM chains them: H([parent, tokens, extra keys]) over canonical CBOR. Two
// engines with one seed and one algorithm give equal prompts equal hashes, so that a router can know who has what.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace spanloom::llmd::wire {

using TokenId = uint32_t;

// vLLM's --prefix-caching-hash-algo. "sha256" and "xxhash" hash what Python pickles, which nobody else can write.
enum class BlockHashAlgorithm : uint8_t { kSha256Cbor, kXxhashCbor };

// "sha256_cbor", "xxhash_cbor". kInvalidArgument names them.
StatusOr<BlockHashAlgorithm> ParseBlockHashAlgorithm(std::string_view name);

// The SHA-256 of token ids, 4 bytes each, little-endian: what data sets of llm-d-inference-sim find a prompt by. 32
// bytes.
[[nodiscard]] std::string HashPrompt(std::span<const TokenId> tokens);

// Immutable; thread-safe.
class BlockHasher {
 public:
  // The first parent is the hash of `seed` (PYTHONHASHSEED) as a text.
  BlockHasher(BlockHashAlgorithm algorithm, size_t block_tokens, std::string_view seed);

  // The hash of each full block of `tokens` as events publish it: its low 64 bits. `extra_keys` are what else tells
  // blocks apart (the LoRA adapter, a cache salt), of every block; `first_extra_keys` of the first alone.
  [[nodiscard]] std::vector<uint64_t> Hash(std::span<const TokenId> tokens,
                                           std::span<const std::string> extra_keys = {},
                                           std::span<const std::string> first_extra_keys = {}) const;

  [[nodiscard]] size_t block_tokens() const { return block_tokens_; }

 private:
  [[nodiscard]] std::string Digest(std::string_view cbor) const;

  const BlockHashAlgorithm algorithm_;
  const size_t block_tokens_;
  std::string first_parent_;  // 32 bytes, or 16 of xxhash
};

}  // namespace spanloom::llmd::wire
