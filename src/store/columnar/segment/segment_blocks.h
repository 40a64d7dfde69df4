// SPDX-License-Identifier: Apache-2.0
//
// What was read of a segment and may be asked for again: pages and chunks of the pool. Neighbours share both.

#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <utility>

#include "store/columnar/segment/page_view.h"
#include "store/columnar/segment/pool_reader.h"
#include "store/columnar/segment/segment_index.h"
#include "store/disk/disk.h"

namespace spanloom::store::columnar {

// Thread-compatible. File and index must outlive it. Takes up to kPagesMax pages, of some 200 KB each.
class SegmentBlocks {
 public:
  static constexpr size_t kPagesMax = 8;  // guess

  SegmentBlocks(const disk::File& file, const SegmentIndex& index)
      : file_(file), index_(index), pool_(file, index.pool()) {}

  // Stays where it is until kPagesMax - 1 others were asked for.
  PageView& Page(uint64_t number);

  [[nodiscard]] PoolReader& pool() { return pool_; }
  [[nodiscard]] const SegmentIndex& index() const { return index_; }

 private:
  const disk::File& file_;
  const SegmentIndex& index_;
  std::list<std::pair<uint64_t, PageView>> pages_;  // by number; the one asked for last stands first
  PoolReader pool_;
};

}  // namespace spanloom::store::columnar
