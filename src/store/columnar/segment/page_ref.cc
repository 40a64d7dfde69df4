// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/page_ref.h"

#include "store/columnar/segment/byte_writer.h"
#include "store/columnar/segment/slice_ref.h"

namespace spanloom::store::columnar {
namespace {

// Events of a page: far above what requests can hold. Reading one takes 16 bytes for each, whatever its file has.
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
constexpr uint32_t kTableRowsMax = 1U << 20;
#else
constexpr uint32_t kTableRowsMax = 1U << 30;
#endif

void WriteTable(const TableRef& table, std::string& out) {
  ByteWriter writer(out);
  writer.Varint(table.groups.size());
  for (const GroupRef& group : table.groups) {
    writer.Varint(group.shape);
    writer.Varint(group.rows);
    for (const SlotRef& slot : group.slots) {
      WriteSliceRef(slot.slice, static_cast<uint8_t>(slot.place), out);
      if (!slot.slice.is_constant()) writer.U32(slot.crc);
    }
  }
}

// Reads one after the other; blocks follow each other in the file.
class PageRefReader {
 public:
  PageRefReader(std::span<const Shape> shapes, uint64_t file_bytes, ByteReader& reader)
      : shapes_(shapes), file_bytes_(file_bytes), reader_(reader) {}

  PageRef Read() {
    PageRef page;
    page.first_trace = reader_.Varint();
    page.start_min = reader_.Varint();
    page.start_max = page.start_min + reader_.Varint();
    if (page.start_max < page.start_min) reader_.Fail();
    next_ = reader_.Varint();
    ReadCodes(page);
    for (size_t i = 0; i < kRowTables && reader_.ok(); ++i) ReadTable(static_cast<RowTable>(i), page.tables[i]);
    if (page.rows() == 0 || page.rows() > kPageRows) reader_.Fail();
    return page;
  }

 private:
  void ReadCodes(PageRef& page) {
    uint64_t bytes = 0;
    for (TableRef& table : page.tables) {
      uint8_t place = 0;
      table.rows = static_cast<uint32_t>(reader_.Below(kTableRowsMax));
      table.codes = ReadSliceRef(place, reader_);
      bytes += PackedBytes(table.rows, table.codes.width);
    }
    page.codes = Block(bytes);
    page.codes.crc = reader_.U32();
  }

  void ReadTable(RowTable kind, TableRef& table) {
    uint64_t rows = 0;
    table.groups.resize(reader_.Count());
    for (GroupRef& group : table.groups) {
      group.shape = static_cast<uint32_t>(reader_.Below(shapes_.size()));
      group.rows = static_cast<uint32_t>(reader_.Below(uint64_t{table.rows} + 1));
      if (!reader_.ok() || shapes_[group.shape].table != kind) return reader_.Fail();
      ReadSlots(shapes_[group.shape], group);
      rows += group.rows;
    }
    if (rows != table.rows) reader_.Fail();
  }

  void ReadSlots(const Shape& shape, GroupRef& group) {
    uint64_t bytes = 0;
    group.slots.resize(shape.slots.size());
    for (size_t i = 0; i < group.slots.size() && reader_.ok(); ++i) {
      SlotRef& slot = group.slots[i];
      uint8_t place = 0;
      slot.slice = ReadSliceRef(place, reader_);
      slot.place = static_cast<SlotPlace>(place);
      slot.offset = static_cast<uint32_t>(bytes);
      if (!slot.slice.is_constant()) slot.crc = reader_.U32();
      bytes += PackedBytes(group.rows, slot.slice.width);
      const bool is_text = shape.slots[i] == SlotKind::kText;
      if (is_text != (place != 0) || place > static_cast<uint8_t>(SlotPlace::kPool)) reader_.Fail();
    }
    group.payload = Block(bytes);
  }

  BlockRef Block(uint64_t bytes) {
    const BlockRef block = {.offset = next_, .bytes = bytes};
    if (!block.LiesWithin(file_bytes_)) reader_.Fail();
    next_ += bytes;
    return block;
  }

  std::span<const Shape> shapes_;
  const uint64_t file_bytes_;
  ByteReader& reader_;
  uint64_t next_ = 0;
};

}  // namespace

void WritePageRef(const PageRef& page, std::string& out) {
  ByteWriter writer(out);
  writer.Varint(page.first_trace);
  writer.Varint(page.start_min);
  writer.Varint(page.start_max - page.start_min);
  writer.Varint(page.codes.offset);
  for (const TableRef& table : page.tables) {
    writer.Varint(table.rows);
    WriteSliceRef(table.codes, 0, out);
  }
  writer.U32(page.codes.crc);
  for (const TableRef& table : page.tables) WriteTable(table, out);
}

PageRef ReadPageRef(std::span<const Shape> shapes, uint64_t file_bytes, ByteReader& reader) {
  return PageRefReader(shapes, file_bytes, reader).Read();
}

}  // namespace spanloom::store::columnar
