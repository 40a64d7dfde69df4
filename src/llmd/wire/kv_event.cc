// SPDX-License-Identifier: Apache-2.0

#include "llmd/wire/kv_event.h"

#include <string_view>

#include "llmd/wire/message_pack.h"

namespace spanloom::llmd::wire {
namespace {

constexpr std::string_view kMedium = "GPU";

// Writes one event in either form: a list of values, or the same values under their names.
class EventWriter {
 public:
  EventWriter(MessagePackWriter& writer, KvEventForm form) : writer_(writer), is_map_(form == KvEventForm::kMap) {}

  void operator()(const BlockStored& event) const {
    Begin("BlockStored", 7);
    Hashes(event.hashes);
    Name("parent_block_hash");
    event.parent ? writer_.Uint(*event.parent) : writer_.Nil();
    Name("token_ids");
    writer_.BeginArray(event.tokens.size());
    for (const TokenId token : event.tokens) writer_.Uint(token);
    Name("block_size");
    writer_.Uint(event.block_tokens);
    Name("lora_id");
    writer_.Nil();
    Name("medium");
    writer_.String(kMedium);
    Name("lora_name");
    event.lora_name.empty() ? writer_.Nil() : writer_.String(event.lora_name);
  }
  void operator()(const BlockRemoved& event) const {
    Begin("BlockRemoved", 2);
    Hashes(event.hashes);
    Name("medium");
    writer_.String(kMedium);
  }
  void operator()(const AllBlocksCleared&) const { Begin("AllBlocksCleared", 0); }

 private:
  void Begin(std::string_view type, size_t fields) const {
    is_map_ ? writer_.BeginMap(fields + 1) : writer_.BeginArray(fields + 1);
    Name("type");
    writer_.String(type);
  }
  void Name(std::string_view name) const {
    if (is_map_) writer_.String(name);
  }
  void Hashes(const std::vector<uint64_t>& hashes) const {
    Name("block_hashes");
    writer_.BeginArray(hashes.size());
    for (const uint64_t hash : hashes) writer_.Uint(hash);
  }

  MessagePackWriter& writer_;
  const bool is_map_;
};

}  // namespace

std::string EncodeKvEvents(const std::vector<KvEvent>& events, double unix_seconds, uint64_t rank, KvEventForm form) {
  std::string wire;
  MessagePackWriter writer(wire);
  writer.BeginArray(3);
  writer.Double(unix_seconds);
  writer.BeginArray(events.size());
  for (const KvEvent& event : events) std::visit(EventWriter(writer, form), event);
  writer.Uint(rank);
  return wire;
}

}  // namespace spanloom::llmd::wire
