// SPDX-License-Identifier: Apache-2.0
//
// One page of a segment being read: finds the place of each row, reads the blocks of groups when they are asked for.

#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstdint>
#include <tuple>
#include <vector>

#include "base/status.h"
#include "store/columnar/segment/page_ref.h"
#include "store/columnar/segment/segment_index.h"
#include "store/columnar/segment/segment_layout.h"
#include "store/disk/disk.h"

namespace spanloom::store::columnar {

// A row's place: the group of its shape, and where it stands in that.
struct RowPlace {
  uint32_t group = 0;
  uint32_t index = 0;
};

// Thread-compatible. File and index must outlive it. Errors: kDataLoss, those of the disk.
class PageView {
 public:
  PageView(const disk::File& file, const SegmentIndex& index, const PageRef& page)
      : file_(file), index_(index), page_(page) {}

  // [rows of the table]. Reads the codes at first.
  StatusOr<std::span<const RowPlace>> Places(RowTable table);

  // The payloads of a group's slots, one after the other. Reads them at first.
  StatusOr<const char*> Payload(RowTable table, uint32_t group);

  // The payload of one slot. Reads no more than that, if the group is not there yet.
  StatusOr<const char*> SlotPayload(RowTable table, uint32_t group, size_t slot);

  // A value of a slot, as its number.
  [[nodiscard]] static uint64_t Number(const GroupRef& group, const char* payload, size_t slot, uint32_t index) {
    return UnpackOne(group.slots[slot].slice, payload + group.slots[slot].offset, index);
  }

  [[nodiscard]] const PageRef& ref() const { return page_; }
  [[nodiscard]] const Shape& ShapeOf(RowTable table, uint32_t group) const {
    return index_.shapes()[page_.table(table).groups[group].shape];
  }
  [[nodiscard]] const SegmentIndex& index() const { return index_; }
  [[nodiscard]] const disk::File& file() const { return file_; }

 private:
  Status ReadCodes();
  StatusOr<Block> ReadGroup(const GroupRef& group) const;
  Status Locate(RowTable table, const char* payload);

  const disk::File& file_;
  const SegmentIndex& index_;
  const PageRef& page_;
  bool has_codes_ = false;
  std::array<std::vector<RowPlace>, kRowTables> places_;
  std::array<std::vector<Block>, kRowTables> blocks_;                         // [groups], empty until they are read
  absl::flat_hash_map<std::tuple<RowTable, uint32_t, size_t>, Block> slots_;  // by table, group and slot
};

}  // namespace spanloom::store::columnar
