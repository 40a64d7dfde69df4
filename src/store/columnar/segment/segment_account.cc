// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/segment_account.h"

#include <array>
#include <memory>
#include <string_view>

#include "store/columnar/segment/segment_index.h"
#include "store/columnar/segment/segment_layout.h"

namespace spanloom::store::columnar {
namespace {

constexpr std::array<std::string_view, kTraceSlots> kTraceSlotNames = {
    "trace ids",  "trace ids",  "trace rows",    "trace times", "trace times", "trace times",
    "trace rows", "trace rows", "trace summary", "trace rows",  "trace rows"};
constexpr std::array<std::string_view, kSections> kSectionNames = {
    "index: other", "index: other", "index: shapes", "index: origins", "index: dictionaries", "index: pages",
    "index: other", "index: order", "index: pool",   "index: texts",   "index: summaries"};

std::string_view PartOfNumber(Op op, ColumnType type) {
  switch (op) {
    case Op::kSpanId:
    case Op::kParentId:
    case Op::kLinkTraceLow:
    case Op::kLinkTraceHigh:
      return "span ids";
    case Op::kStart:
    case Op::kEnd:
    case Op::kTime:
      return "span times";
    case Op::kParent:
      return "parents";
    case Op::kAttribute:
      return type == ColumnType::kDouble ? "doubles" : "integers";
    default:
      return "other fields";
  }
}

class Accounting {
 public:
  explicit Accounting(const SegmentIndex& index) : index_(index) {}

  SegmentAccount Take(uint64_t file_bytes, const Directory& directory) && {
    for (const PageRef& page : index_.pages()) AddPage(page);
    for (const TraceChunkRef& chunk : index_.trace_chunks()) {
      for (size_t slot = 0; slot < kTraceSlots; ++slot) {
        Add(kTraceSlotNames[slot], PackedBytes(chunk.traces, chunk.slots[slot].width));
      }
    }
    for (const PoolChunkRef& chunk : index_.pool().chunks()) Add("texts of traces", chunk.block.bytes);
    for (const TextBlockRef& block : index_.text_index().blocks()) Add("index: texts", block.block.bytes);
    for (size_t i = 0; i < kSections; ++i) Add(kSectionNames[i], directory[i].block.bytes);
    Add("header, directory", file_bytes - counted_);
    account_.file_bytes = file_bytes;
    account_.spans = index_.totals().spans;
    return std::move(account_);
  }

 private:
  void Add(std::string_view part, uint64_t bytes) {
    account_.parts[std::string(part)] += bytes;
    counted_ += bytes;
  }

  void AddPage(const PageRef& page) {
    Add("codes of groups", page.codes.bytes);
    for (const TableRef& table : page.tables) {
      for (const GroupRef& group : table.groups) AddGroup(group);
    }
  }

  void AddGroup(const GroupRef& group) {
    const Shape& shape = index_.shapes()[group.shape];
    for (size_t i = 0; i < group.slots.size(); ++i) {
      const uint64_t bytes = PackedBytes(group.rows, group.slots[i].slice.width);
      const uint32_t column = shape.slot_columns[i];
      const ColumnType type = column == kNoColumn ? ColumnType::kAbsent : index_.columns()[column].type;
      const SlotPlace place = group.slots[i].place;
      Add(place == SlotPlace::kDictionary ? "codes of texts"
          : place == SlotPlace::kPool     ? "places in the pool"
                                          : PartOfNumber(shape.slot_ops[i], type),
          bytes);
      if (column != kNoColumn) account_.columns[index_.columns()[column].key] += bytes;
    }
  }

  const SegmentIndex& index_;
  SegmentAccount account_;
  uint64_t counted_ = 0;
};

}  // namespace

StatusOr<SegmentAccount> AccountOf(const disk::File& file) {
  ASSIGN_OR_RETURN(const uint64_t bytes, file.Size());
  ASSIGN_OR_RETURN(const Directory directory, ReadDirectory(file));
  ASSIGN_OR_RETURN(const std::unique_ptr<const SegmentIndex> index, SegmentIndex::Read(file));
  return Accounting(*index).Take(bytes, directory);
}

}  // namespace spanloom::store::columnar
