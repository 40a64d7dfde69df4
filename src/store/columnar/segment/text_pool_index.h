// SPDX-License-Identifier: Apache-2.0
//
// Where the pool entries of a segment lie, and one chunk of them to read from.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "store/columnar/segment/byte_reader.h"
#include "store/columnar/segment/packed.h"
#include "store/columnar/segment/segment_layout.h"
#include "store/columnar/segment/text_pool.h"
#include "store/columnar/segment/text_template.h"

namespace spanloom::store::columnar {

// Immutable.
class PoolIndex {
 public:
  PoolIndex() = default;
  // `reader` fails if it says what can't be.
  PoolIndex(uint64_t file_bytes, ByteReader& reader);

  [[nodiscard]] const std::vector<TextTemplate>& templates() const { return templates_; }
  [[nodiscard]] uint64_t entries() const { return entries_; }
  [[nodiscard]] const std::vector<PoolChunkRef>& chunks() const { return chunks_; }
  // The chunk that has the entry, which must be below entries().
  [[nodiscard]] const PoolChunkRef& ChunkOf(uint64_t entry) const;

 private:
  std::vector<TextTemplate> templates_;
  std::vector<PoolChunkRef> chunks_;
  uint64_t entries_ = 0;
};

// The texts of one chunk. Immutable.
class PoolChunk {
 public:
  // Reads and checks it. kDataLoss if it does not check, or says what can't be. `index` must outlive it.
  PoolChunk() = default;

  static StatusOr<std::unique_ptr<PoolChunk>> Read(const disk::File& file, const PoolIndex& index,
                                                   const PoolChunkRef& ref);

  // Appends the text of an entry of this chunk.
  void AppendText(uint64_t entry, std::string& out) const;

 private:
  struct Group {
    const TextTemplate* pattern = nullptr;
    uint32_t entries = 0;
    std::string payload;            // of plain texts, as it was before compression
    std::string_view fixed;         // of others; views block_
    std::vector<uint64_t> offsets;  // of plain texts: [entries + 1]
  };
  struct Place {
    uint32_t group = 0;
    uint32_t index = 0;
  };

  bool Parse(const PoolIndex& index, ByteReader& reader);
  bool ParsePlain(Group& group, ByteReader& reader);
  bool ParseCodes(ByteReader& reader);

  Block block_;
  uint64_t first_entry_ = 0;
  std::vector<Group> groups_;
  std::vector<Place> places_;  // [entries]
};

}  // namespace spanloom::store::columnar
