// SPDX-License-Identifier: Apache-2.0
//
// One page of a segment while conditions and sums are worked out on it: its values, column by column, and how rows of
// groups, rows of the page, events and links belong together.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "store/columnar/segment/segment_reader.h"
#include "store/columnar/segment/trace_table_reader.h"

namespace spanloom::store::columnar {

// Rows [begin, end) of the events or links of a page.
struct ChildRange {
  uint32_t begin = 0;
  uint32_t end = 0;
};

// What a page costs that is looked at by columns, in spans that are looked at one by one (ReadMeter): some 50 µs.
inline constexpr uint64_t kPageSteps = 64;

// Thread-compatible. Reader and table, which is the reader's, must outlive it. Errors of all calls: kDataLoss, those of
// the disk.
class PageColumns {
 public:
  PageColumns(const SegmentReader& reader, TraceTableReader& table, size_t page);

  [[nodiscard]] size_t number() const { return number_; }
  [[nodiscard]] const SegmentReader& reader() const { return reader_; }
  [[nodiscard]] const PageRef& ref() const { return view_.ref(); }
  [[nodiscard]] size_t rows() const { return ref().rows(); }
  [[nodiscard]] std::span<const GroupRef> groups(RowTable table) const { return ref().table(table).groups; }
  // Where the first row of the page stands in the segment.
  [[nodiscard]] uint64_t first_row() const { return uint64_t{number_} * kPageRows; }

  // [rows of the table]
  StatusOr<std::span<const RowPlace>> Places(RowTable table) { return view_.Places(table); }
  // [rows of the group]: its rows within the table, ascending.
  StatusOr<std::span<const uint32_t>> RowsOf(RowTable table, uint32_t group);

  // [rows of the group]: the numbers of a slot. Valid until the next call.
  StatusOr<std::span<const uint64_t>> Numbers(RowTable table, uint32_t group, size_t slot);

  // [rows of the group]: when its spans start; nullopt if messages have to be read for it. Valid until the next call.
  StatusOr<std::optional<std::span<const uint64_t>>> Starts(uint32_t group);
  // [rows of the group]: the number of the trace of each.
  StatusOr<std::span<const uint64_t>> TraceNumbers(uint32_t group);

  // [rows]: the events or links of each span.
  StatusOr<std::span<const ChildRange>> ChildrenOf(RowTable children);
  // [rows of the table]: the span of each event or link, as its row in the page.
  StatusOr<std::span<const uint32_t>> SpansOf(RowTable children);

  struct TraceSpan {
    TracePlace place;
    uint32_t begin = 0;  // its rows in this page
    uint32_t end = 0;
  };
  // The traces that have rows in this page, in order.
  StatusOr<std::span<const TraceSpan>> Traces();
  // [rows]: the number of each row's trace among Traces().
  StatusOr<std::span<const uint32_t>> TraceOfRows();

  // A text of the pool, by the number that a slot has for it in a row of the page. Valid until the next call.
  StatusOr<std::string_view> PoolText(uint32_t row, uint64_t number);
  // The same text's place among all that the traces of the page have, [0, PoolEntries()).
  StatusOr<uint64_t> PoolEntry(uint32_t row, uint64_t number);
  StatusOr<uint64_t> PoolEntries();

 private:
  Status FindTraces();
  Status CountChildren(RowTable children, std::vector<ChildRange>& ranges);

  const SegmentReader& reader_;
  TraceTableReader& table_;
  const size_t number_;
  PageView view_;
  std::vector<uint64_t> numbers_;
  std::vector<uint64_t> starts_;
  std::vector<uint64_t> trace_numbers_;
  std::array<std::vector<std::vector<uint32_t>>, kRowTables> group_rows_;  // [groups][rows]; empty until asked for
  std::array<std::vector<ChildRange>, kRowTables> children_;               // empty until asked for
  std::array<std::vector<uint32_t>, kRowTables> parents_;
  std::vector<TraceSpan> traces_;
  std::vector<uint32_t> trace_of_rows_;
  PoolReader pool_;
  std::string text_;
};

}  // namespace spanloom::store::columnar
