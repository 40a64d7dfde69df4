// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/pool_reader.h"

#include <utility>

namespace spanloom::store::columnar {

Status PoolReader::AppendText(const TracePlace& trace, uint64_t number, std::string& out) {
  const uint64_t entry = trace.first_pool + number;
  if (number >= trace.entry[TraceSlot::kPoolEntries] || entry >= pool_.entries()) {
    return absl::DataLossError("a text that the pool does not have");
  }
  const PoolChunkRef& ref = pool_.ChunkOf(entry);
  auto found = chunks_.find(ref.first_entry);
  if (found == chunks_.end()) {
    ASSIGN_OR_RETURN(auto chunk, PoolChunk::Read(file_, pool_, ref));
    if (chunks_.size() == kChunksMax) chunks_.clear();
    found = chunks_.emplace(ref.first_entry, std::move(chunk)).first;
  }
  found->second->AppendText(entry, out);
  return absl::OkStatus();
}

}  // namespace spanloom::store::columnar
