// SPDX-License-Identifier: Apache-2.0
//
// Turns the values of a page into blocks of a segment file: texts become numbers, numbers are packed.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "store/columnar/segment/page_ref.h"
#include "store/columnar/segment/shredder.h"
#include "store/columnar/segment/text_columns.h"
#include "store/columnar/segment/text_index.h"
#include "store/columnar/segment/text_pool.h"

namespace spanloom::store::columnar {

// Thread-compatible. All that it is given must outlive it.
class PageEncoder {
 public:
  PageEncoder(const ShapeTable& shapes, TextColumns& columns, TextPool& pool, TextIndexWriter& text_index,
              SegmentSink& sink)
      : shapes_(shapes), columns_(columns), pool_(pool), text_index_(text_index), sink_(sink) {}

  // Writes the blocks of the next page. `begins_trace` [span rows]: the row is the first of its trace. Changes `rows`:
  // texts become their numbers. What is not about blocks is left to be filled in.
  [[nodiscard]] PageRef Encode(const std::vector<bool>& begins_trace, PageRows& rows);

 private:
  // A slot whose texts go to the pool.
  struct PooledSlot {
    uint32_t slot = 0;
    bool is_indexed = false;
  };
  // Of the groups of one table: where the texts of each slot go.
  struct TablePlaces {
    std::vector<std::vector<SlotPlace>> slots;    // [groups][slots]
    std::vector<std::vector<PooledSlot>> pooled;  // [groups]
    std::vector<uint32_t> next;                   // [groups]: rows that were visited
  };

  void Place(const RowValues& rows, TablePlaces& places);
  void PoolTexts(const std::vector<bool>& begins_trace, PageRows& rows);
  // The texts of the table's next row.
  void PoolRow(RowTable table, PageRows& rows);
  void PoolChildren(const RowValues::Group& group, uint32_t row, PageRows& rows);
  void LookUpTexts(const TablePlaces& places, RowValues& rows);
  void WriteTable(const RowValues& rows, const TablePlaces& places, TableRef& table);
  [[nodiscard]] bool IsIndexed(uint32_t column) const;
  [[nodiscard]] const Shape& ShapeOf(const RowValues::Group& group) const { return shapes_.shapes()[group.shape]; }

  const ShapeTable& shapes_;
  TextColumns& columns_;
  TextPool& pool_;
  TextIndexWriter& text_index_;
  SegmentSink& sink_;
  std::array<TablePlaces, kRowTables> places_;
  std::array<size_t, kRowTables> next_row_ = {};
  uint32_t page_ = 0;
  std::vector<uint64_t> numbers_;
  std::string block_;
};

}  // namespace spanloom::store::columnar
