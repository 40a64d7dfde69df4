// SPDX-License-Identifier: Apache-2.0
//
// Events of the KV cache as vLLM publishes them over ZeroMQ: a batch is MessagePack `[seconds, [events...], rank]`, an
// event a list whose first item is its name (vLLM up to 0.23) or a map whose "type" is its name (0.24 and later).

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "llmd/wire/block_hash.h"

namespace spanloom::llmd::wire {

// Full blocks that can now be found by their hashes, one behind the other.
struct BlockStored {
  std::vector<uint64_t> hashes = {};
  std::optional<uint64_t> parent = {};  // the block in front of the first; none if that begins the prompt
  std::vector<TokenId> tokens = {};     // of all of them
  uint64_t block_tokens = 0;
  std::string lora_name = {};  // "": no adapter
};

struct BlockRemoved {
  std::vector<uint64_t> hashes = {};
};

struct AllBlocksCleared {};

using KvEvent = std::variant<BlockStored, BlockRemoved, AllBlocksCleared>;

enum class KvEventForm : uint8_t { kList, kMap };

// A batch in wire form. `unix_seconds` is when it was made, `rank` of data parallelism.
[[nodiscard]] std::string EncodeKvEvents(const std::vector<KvEvent>& events, double unix_seconds, uint64_t rank,
                                         KvEventForm form);

}  // namespace spanloom::llmd::wire
