// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/pool_reader.h"

namespace spanloom::store::columnar {

Status PoolReader::AppendText(const TracePlace& trace, uint64_t number, std::string& out) {
  const uint64_t entry = trace.first_pool + number;
  if (number >= trace.entry[TraceSlot::kPoolEntries] || entry >= pool_.entries()) {
    return absl::DataLossError("a text that the pool does not have");
  }
  const PoolChunkRef& ref = pool_.ChunkOf(entry);
  auto [found, is_new] = chunks_.try_emplace(ref.first_entry);
  if (is_new || found->second == nullptr) {
    ASSIGN_OR_RETURN(found->second, PoolChunk::Read(file_, pool_, ref));
  }
  found->second->AppendText(entry, out);
  return absl::OkStatus();
}

}  // namespace spanloom::store::columnar
