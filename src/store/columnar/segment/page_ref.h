// SPDX-License-Identifier: Apache-2.0
//
// What the index of a segment says of one page: where its values lie, and within which bounds. Format:
// docs/formats/segment.md, section `pages`.

#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "store/columnar/segment/byte_reader.h"
#include "store/columnar/segment/packed.h"
#include "store/columnar/segment/segment_sink.h"
#include "store/columnar/segment/shape.h"

namespace spanloom::store::columnar {

inline constexpr uint32_t kPageRows = 4096;  // of spans; guess

// What a slot's numbers mean.
enum class SlotPlace : uint8_t { kNumbers = 0, kDictionary = 1, kPool = 2 };

struct SlotRef {
  PackedSlice slice;
  SlotPlace place = SlotPlace::kNumbers;
  uint32_t offset = 0;  // of its payload among those of the group
  uint32_t crc = 0;     // of its payload; 0 if it has none

  friend bool operator==(const SlotRef&, const SlotRef&) = default;
};

// The rows of one shape in a page.
struct GroupRef {
  uint32_t shape = 0;
  uint32_t rows = 0;
  BlockRef payload;            // of all its slots; has no checksum of its own
  std::vector<SlotRef> slots;  // [slots of the shape]

  // Where the payload of a slot lies.
  [[nodiscard]] BlockRef PayloadOf(size_t slot) const {
    return {.offset = payload.offset + slots[slot].offset,
            .bytes = PackedBytes(rows, slots[slot].slice.width),
            .crc = slots[slot].crc};
  }

  friend bool operator==(const GroupRef&, const GroupRef&) = default;
};

// One table's rows in a page.
struct TableRef {
  uint32_t rows = 0;
  PackedSlice codes;  // for each row, its group's number; payloads of all tables stand together in PageRef::codes
  std::vector<GroupRef> groups;

  friend bool operator==(const TableRef&, const TableRef&) = default;
};

// Immutable once read or written.
struct PageRef {
  uint64_t first_trace = 0;  // the number of the trace of its first row
  uint64_t start_min = 0;    // of its spans, Unix ns
  uint64_t start_max = 0;
  BlockRef codes;
  std::array<TableRef, kRowTables> tables;

  [[nodiscard]] const TableRef& table(RowTable table) const { return tables[static_cast<size_t>(table)]; }
  [[nodiscard]] uint32_t rows() const { return tables[0].rows; }
  friend bool operator==(const PageRef&, const PageRef&) = default;
};

void WritePageRef(const PageRef& page, std::string& out);

// Reads one; `reader` fails if it says what can't be: `shapes` are the segment's, `file_bytes` what its blocks must lie
// within.
[[nodiscard]] PageRef ReadPageRef(std::span<const Shape> shapes, uint64_t file_bytes, ByteReader& reader);

}  // namespace spanloom::store::columnar
