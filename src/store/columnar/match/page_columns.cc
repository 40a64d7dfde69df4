// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/match/page_columns.h"

#include <algorithm>

#include "base/text.h"

namespace spanloom::store::columnar {

PageColumns::PageColumns(const SegmentReader& reader, TraceTableReader& table, size_t page)
    : reader_(reader), table_(table), number_(page), view_(reader.PageAt(page)), pool_(reader.MakePoolReader()) {}

StatusOr<std::span<const uint32_t>> PageColumns::RowsOf(RowTable table, uint32_t group) {
  auto& rows = group_rows_[static_cast<size_t>(table)];
  if (rows.empty()) {
    ASSIGN_OR_RETURN(const auto places, Places(table));
    rows.resize(groups(table).size());
    for (uint32_t row = 0; row < places.size(); ++row) rows[places[row].group].push_back(row);
  }
  return rows[group];
}

StatusOr<std::span<const uint64_t>> PageColumns::Numbers(RowTable table, uint32_t group, size_t slot) {
  const GroupRef& ref = groups(table)[group];
  if (ref.slots[slot].slice.is_constant()) {  // has no payload
    numbers_.assign(ref.rows, ref.slots[slot].slice.base);
    return numbers_;
  }
  ASSIGN_OR_RETURN(const char* const payload, view_.SlotPayload(table, group, slot));
  numbers_.resize(ref.rows);
  Unpack(ref.slots[slot].slice, payload, 0, ref.rows, numbers_.data());
  return numbers_;
}

StatusOr<std::optional<std::span<const uint64_t>>> PageColumns::Starts(uint32_t group) {
  const Shape& shape = view_.ShapeOf(RowTable::kSpans, group);
  if (shape.is_raw()) return std::optional<std::span<const uint64_t>>();
  const auto slot = std::ranges::find(shape.slot_ops, Op::kStart);
  if (slot == shape.slot_ops.end()) {
    starts_.assign(groups(RowTable::kSpans)[group].rows, 0);  // no start is start 0
    return std::optional<std::span<const uint64_t>>(starts_);
  }
  ASSIGN_OR_RETURN(const auto rows, RowsOf(RowTable::kSpans, group));
  ASSIGN_OR_RETURN(const auto traces, TraceOfRows());
  ASSIGN_OR_RETURN(const auto since,
                   Numbers(RowTable::kSpans, group, static_cast<size_t>(slot - shape.slot_ops.begin())));
  starts_.resize(since.size());
  for (size_t i = 0; i < since.size(); ++i) starts_[i] = traces_[traces[rows[i]]].place.start_unix_ns() + since[i];
  return std::optional<std::span<const uint64_t>>(starts_);
}

StatusOr<std::span<const uint64_t>> PageColumns::TraceNumbers(uint32_t group) {
  ASSIGN_OR_RETURN(const auto rows, RowsOf(RowTable::kSpans, group));
  ASSIGN_OR_RETURN(const auto traces, TraceOfRows());
  trace_numbers_.resize(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) trace_numbers_[i] = traces_[traces[rows[i]]].place.number;
  return trace_numbers_;
}

StatusOr<std::span<const ChildRange>> PageColumns::ChildrenOf(RowTable children) {
  std::vector<ChildRange>& ranges = children_[static_cast<size_t>(children)];
  if (ranges.empty()) RETURN_IF_ERROR(CountChildren(children, ranges));
  return ranges;
}

Status PageColumns::CountChildren(RowTable children, std::vector<ChildRange>& ranges) {
  const Op op = children == RowTable::kEvents ? Op::kEvents : Op::kLinks;
  const uint32_t all = ref().table(children).rows;
  std::vector<uint64_t> counts(rows());
  for (uint32_t group = 0; group < groups(RowTable::kSpans).size(); ++group) {
    const Shape& shape = view_.ShapeOf(RowTable::kSpans, group);
    for (size_t slot = 0; slot < shape.slot_ops.size(); ++slot) {
      if (shape.slot_ops[slot] != op) continue;
      ASSIGN_OR_RETURN(const auto rows, RowsOf(RowTable::kSpans, group));
      ASSIGN_OR_RETURN(const auto numbers, Numbers(RowTable::kSpans, group, slot));
      for (size_t i = 0; i < rows.size(); ++i) counts[rows[i]] += std::min<uint64_t>(numbers[i], uint64_t{all} + 1);
    }
  }
  uint64_t next = 0;
  std::vector<ChildRange> found;
  for (const uint64_t count : counts) {
    if (next + count > all)
      return absl::DataLossError(StrCat("the page at ", ref().codes.offset, " says what can't be"));
    found.push_back({.begin = static_cast<uint32_t>(next), .end = static_cast<uint32_t>(next + count)});
    next += count;
  }
  ranges = std::move(found);
  return absl::OkStatus();
}

StatusOr<std::span<const uint32_t>> PageColumns::SpansOf(RowTable children) {
  std::vector<uint32_t>& parents = parents_[static_cast<size_t>(children)];
  if (parents.empty()) {
    ASSIGN_OR_RETURN(const auto ranges, ChildrenOf(children));
    parents.resize(ref().table(children).rows);
    for (uint32_t row = 0; row < ranges.size(); ++row) {
      std::fill(parents.begin() + ranges[row].begin, parents.begin() + ranges[row].end, row);
    }
  }
  return parents;
}

StatusOr<std::span<const PageColumns::TraceSpan>> PageColumns::Traces() {
  if (traces_.empty()) RETURN_IF_ERROR(FindTraces());
  return traces_;
}

StatusOr<std::span<const uint32_t>> PageColumns::TraceOfRows() {
  if (traces_.empty()) RETURN_IF_ERROR(FindTraces());
  return trace_of_rows_;
}

Status PageColumns::FindTraces() {
  const size_t chunks = reader_.index().trace_chunks().size();
  const uint64_t begin = first_row();
  const uint64_t end = begin + rows();
  std::vector<TraceSpan> found;
  uint64_t next = begin;
  for (size_t chunk = ref().first_trace / kChunkTraces; chunk < chunks && next < end; ++chunk) {
    ASSIGN_OR_RETURN(const std::vector<TracePlace>* const places, table_.Chunk(chunk));
    for (const TracePlace& place : *places) {
      const uint64_t last = place.first_row + place.rows();
      if (last <= begin || place.first_row >= end) continue;
      next = std::min(end, last);
      found.push_back({.place = place,
                       .begin = static_cast<uint32_t>(std::max(begin, place.first_row) - begin),
                       .end = static_cast<uint32_t>(next - begin)});
    }
  }
  if (next != end) return absl::DataLossError(StrCat("the page at ", ref().codes.offset, " has rows of no trace"));
  trace_of_rows_.assign(rows(), 0);
  for (uint32_t i = 0; i < found.size(); ++i) {
    std::fill(trace_of_rows_.begin() + found[i].begin, trace_of_rows_.begin() + found[i].end, i);
  }
  traces_ = std::move(found);
  return absl::OkStatus();
}

StatusOr<std::string_view> PageColumns::PoolText(uint32_t row, uint64_t number) {
  ASSIGN_OR_RETURN(const auto trace_of_rows, TraceOfRows());
  const TracePlace& trace = traces_[trace_of_rows[row]].place;
  text_.clear();
  RETURN_IF_ERROR(pool_.AppendText(trace, number, text_));
  return text_;
}

StatusOr<uint64_t> PageColumns::PoolEntry(uint32_t row, uint64_t number) {
  ASSIGN_OR_RETURN(const auto trace_of_rows, TraceOfRows());
  const TracePlace& trace = traces_[trace_of_rows[row]].place;
  if (number >= trace.entry[TraceSlot::kPoolEntries]) return absl::DataLossError("a text that the pool does not have");
  return trace.first_pool - traces_.front().place.first_pool + number;
}

StatusOr<uint64_t> PageColumns::PoolEntries() {
  ASSIGN_OR_RETURN(const auto traces, Traces());
  const TracePlace& last = traces.back().place;
  return last.first_pool + last.entry[TraceSlot::kPoolEntries] - traces.front().place.first_pool;
}

}  // namespace spanloom::store::columnar
