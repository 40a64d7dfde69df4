// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/page_encoder.h"

#include "store/crc32c.h"

namespace spanloom::store::columnar {
namespace {

void NumbersOf(const std::vector<SlotValue>& slot, std::vector<uint64_t>& numbers) {
  numbers.clear();
  for (const SlotValue& value : slot) numbers.push_back(value.number());
}

}  // namespace

PageRef PageEncoder::Encode(const std::vector<bool>& begins_trace, PageRows& rows) {
  for (size_t i = 0; i < kRowTables; ++i) Place(rows[i], places_[i]);
  PoolTexts(begins_trace, rows);
  PageRef page;
  block_.clear();
  for (size_t i = 0; i < kRowTables; ++i) {
    LookUpTexts(places_[i], rows[i]);
    numbers_.assign(rows[i].codes().begin(), rows[i].codes().end());
    page.tables[i].rows = static_cast<uint32_t>(rows[i].rows());
    page.tables[i].codes = Pack(numbers_, block_);
  }
  page.codes = sink_.Append(block_);
  for (size_t i = 0; i < kRowTables; ++i) WriteTable(rows[i], places_[i], page.tables[i]);
  columns_.EndPage();
  pool_.EndPage();
  ++page_;
  return page;
}

// Texts that somebody may ask for as they stand.
bool PageEncoder::IsIndexed(uint32_t column) const {
  const ColumnType type = shapes_.columns()[column].type;
  return column != kRawColumn && type != ColumnType::kArray && type != ColumnType::kMap;
}

void PageEncoder::Place(const RowValues& rows, TablePlaces& places) {
  const size_t groups = rows.groups().size();
  places.slots.assign(groups, {});
  places.pooled.assign(groups, {});
  places.next.assign(groups, 0);
  for (size_t g = 0; g < groups; ++g) {
    const RowValues::Group& group = rows.groups()[g];
    const Shape& shape = ShapeOf(group);
    for (uint32_t slot = 0; slot < shape.slots.size(); ++slot) {
      SlotPlace place = SlotPlace::kNumbers;
      if (shape.slots[slot] == SlotKind::kText) {
        const bool fits = columns_.UsesDictionary(shape.slot_columns[slot], group.slots[slot]);
        place = fits ? SlotPlace::kDictionary : SlotPlace::kPool;
      }
      places.slots[g].push_back(place);
      if (place == SlotPlace::kPool) places.pooled[g].push_back({slot, IsIndexed(shape.slot_columns[slot])});
    }
  }
}

// By rows, since the pool stands in the order of the traces.
void PageEncoder::PoolTexts(const std::vector<bool>& begins_trace, PageRows& rows) {
  next_row_ = {};
  RowValues& spans = rows[static_cast<size_t>(RowTable::kSpans)];
  const TablePlaces& places = places_[static_cast<size_t>(RowTable::kSpans)];
  for (size_t row = 0; row < spans.rows(); ++row) {
    if (begins_trace[row]) pool_.BeginTrace();
    const uint32_t code = spans.codes()[row];
    const uint32_t index = places.next[code];
    PoolRow(RowTable::kSpans, rows);
    PoolChildren(spans.groups()[code], index, rows);
  }
}

void PageEncoder::PoolRow(RowTable table, PageRows& rows) {
  RowValues& values = rows[static_cast<size_t>(table)];
  TablePlaces& places = places_[static_cast<size_t>(table)];
  const uint32_t code = values.codes()[next_row_[static_cast<size_t>(table)]++];
  const uint32_t index = places.next[code]++;
  for (const auto& [slot, is_indexed] : places.pooled[code]) {
    SlotValue& value = values.At(code, slot, index);
    if (is_indexed) text_index_.Add(value.text(), page_);
    value = SlotValue::Number(pool_.Code(value.text()));
  }
}

void PageEncoder::PoolChildren(const RowValues::Group& group, uint32_t row, PageRows& rows) {
  const Shape& shape = ShapeOf(group);
  if (!shape.has_children) return;
  for (size_t slot = 0; slot < shape.slots.size(); ++slot) {
    const Op op = shape.slot_ops[slot];
    if (op != Op::kEvents && op != Op::kLinks) continue;
    const RowTable table = op == Op::kEvents ? RowTable::kEvents : RowTable::kLinks;
    for (uint64_t left = group.slots[slot][row].number(); left > 0; --left) PoolRow(table, rows);
  }
}

void PageEncoder::LookUpTexts(const TablePlaces& places, RowValues& rows) {
  for (uint32_t g = 0; g < rows.groups().size(); ++g) {
    const Shape& shape = ShapeOf(rows.groups()[g]);
    for (uint32_t slot = 0; slot < shape.slots.size(); ++slot) {
      if (places.slots[g][slot] != SlotPlace::kDictionary) continue;
      for (uint32_t row = 0; row < rows.groups()[g].rows; ++row) {
        SlotValue& value = rows.At(g, slot, row);
        value = SlotValue::Number(columns_.Code(shape.slot_columns[slot], value.text()));
      }
    }
  }
}

void PageEncoder::WriteTable(const RowValues& rows, const TablePlaces& places, TableRef& table) {
  for (size_t g = 0; g < rows.groups().size(); ++g) {
    const RowValues::Group& group = rows.groups()[g];
    GroupRef ref = {.shape = group.shape, .rows = group.rows, .payload = {}, .slots = {}};
    block_.clear();
    for (size_t slot = 0; slot < group.slots.size(); ++slot) {
      NumbersOf(group.slots[slot], numbers_);
      SlotRef& packed = ref.slots.emplace_back();
      packed.place = places.slots[g][slot];
      packed.offset = static_cast<uint32_t>(block_.size());
      packed.slice = Pack(numbers_, block_);
      if (!packed.slice.is_constant()) packed.crc = Crc32c(std::string_view(block_).substr(packed.offset));
    }
    ref.payload = {.offset = sink_.AppendParts(block_), .bytes = block_.size()};
    table.groups.push_back(std::move(ref));
  }
}

}  // namespace spanloom::store::columnar
