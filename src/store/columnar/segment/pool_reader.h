// SPDX-License-Identifier: Apache-2.0
//
// Texts of the pool for whoever reads several: keeps some of the chunks that it has read.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/status.h"
#include "store/columnar/segment/text_pool_index.h"
#include "store/columnar/segment/trace_place.h"
#include "store/disk/disk.h"

namespace spanloom::store::columnar {

// Thread-compatible. File and pool must outlive it.
class PoolReader {
 public:
  static constexpr size_t kChunksMax = 8;  // that are kept, of some 100 KB each; guess

  PoolReader(const disk::File& file, const PoolIndex& pool) : file_(file), pool_(pool) {}

  // Appends the text that has this number among those of the trace. Errors: kDataLoss, those of the disk.
  Status AppendText(const TracePlace& trace, uint64_t number, std::string& out);

 private:
  const disk::File& file_;
  const PoolIndex& pool_;
  std::map<uint64_t, std::unique_ptr<const PoolChunk>> chunks_;  // by first entry
};

}  // namespace spanloom::store::columnar
