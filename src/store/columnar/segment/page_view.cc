// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/page_view.h"

#include "base/text.h"

namespace spanloom::store::columnar {

StatusOr<std::span<const RowPlace>> PageView::Places(RowTable table) {
  if (!has_codes_) RETURN_IF_ERROR(ReadCodes());
  return places_[static_cast<size_t>(table)];
}

Status PageView::ReadCodes() {
  ASSIGN_OR_RETURN(const Block codes, ReadBlock(file_, page_.codes));
  size_t offset = 0;
  for (size_t i = 0; i < kRowTables; ++i) {
    const TableRef& table = page_.tables[i];
    RETURN_IF_ERROR(Locate(static_cast<RowTable>(i), codes.data() + offset));
    offset += PackedBytes(table.rows, table.codes.width);
  }
  has_codes_ = true;
  return absl::OkStatus();
}

Status PageView::Locate(RowTable kind, const char* payload) {
  const TableRef& table = page_.table(kind);
  std::vector<RowPlace>& places = places_[static_cast<size_t>(kind)];
  std::vector<uint64_t> codes(table.rows);
  Unpack(table.codes, payload, 0, table.rows, codes.data());
  std::vector<uint32_t> next(table.groups.size());
  places.resize(table.rows);
  for (size_t row = 0; row < codes.size(); ++row) {
    const uint64_t group = codes[row];
    if (group >= next.size() || next[group] >= table.groups[group].rows) {
      return absl::DataLossError(StrCat("the page at ", page_.codes.offset, " names a row that it does not have"));
    }
    places[row] = {.group = static_cast<uint32_t>(group), .index = next[group]++};
  }
  return absl::OkStatus();
}

StatusOr<const char*> PageView::Payload(RowTable kind, uint32_t group) {
  const TableRef& table = page_.table(kind);
  std::vector<Block>& blocks = blocks_[static_cast<size_t>(kind)];
  blocks.resize(table.groups.size());
  if (blocks[group].data() == nullptr) {
    ASSIGN_OR_RETURN(blocks[group], ReadGroup(table.groups[group]));
  }
  return blocks[group].data();
}

StatusOr<Block> PageView::ReadGroup(const GroupRef& group) const {
  ASSIGN_OR_RETURN(Block payload, ReadParts(file_, group.payload));
  for (size_t slot = 0; slot < group.slots.size(); ++slot) {
    if (group.slots[slot].slice.is_constant()) continue;
    const BlockRef ref = group.PayloadOf(slot);
    RETURN_IF_ERROR(CheckBlock(payload.view().substr(group.slots[slot].offset, ref.bytes), ref));
  }
  return payload;
}

StatusOr<const char*> PageView::SlotPayload(RowTable kind, uint32_t group, size_t slot) {
  const GroupRef& ref = page_.table(kind).groups[group];
  const std::vector<Block>& blocks = blocks_[static_cast<size_t>(kind)];
  if (group < blocks.size() && blocks[group].data() != nullptr) return blocks[group].data() + ref.slots[slot].offset;
  Block& block = slots_[{kind, group, slot}];
  if (block.data() == nullptr) {
    ASSIGN_OR_RETURN(block, ReadBlock(file_, ref.PayloadOf(slot)));
  }
  return block.data();
}

}  // namespace spanloom::store::columnar
