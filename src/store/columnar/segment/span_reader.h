// SPDX-License-Identifier: Apache-2.0
//
// Puts the spans of one trace together again, page by page.

#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "store/columnar/segment/assembler.h"
#include "store/columnar/segment/page_view.h"
#include "store/columnar/segment/segment_blocks.h"
#include "store/columnar/segment/trace_place.h"
#include "store/span.h"

namespace spanloom::store::columnar {

// For one trace. Thread-compatible. All that it is given must outlive it.
class SpanReader {
 public:
  SpanReader(const TracePlace& trace, SegmentBlocks& blocks);

  // Appends the spans that lie in rows [begin, end) of the trace. Errors: kDataLoss, those of the disk.
  Status Read(uint64_t begin, uint64_t end, std::vector<StoredSpan>& spans);

  // The id of the span in a row of the trace, as u64. Errors: as Read.
  StatusOr<uint64_t> SpanIdAt(uint64_t row);

 private:
  struct RowRef {
    PageView* page = nullptr;
    RowPlace place;
  };
  // How many rows of the child tables come before a row of its page.
  struct ChildPlaces {
    size_t events = 0;
    size_t links = 0;
  };

  StatusOr<RowRef> RowAt(uint64_t row);
  Status AppendSpan(uint64_t row, std::string& out, std::shared_ptr<const SpanOrigin>& origin);
  Status ReadValues(PageView& page, RowTable table, const RowPlace& place, std::vector<SlotValue>& values);
  Status ResolveParent(const Shape& shape, uint64_t row, std::vector<SlotValue>& values);
  Status ReadChildren(PageView& page, RowTable table, size_t begin, size_t count, std::vector<ChildRow>& children);
  StatusOr<ChildPlaces> ChildrenBefore(PageView& page, size_t row);
  StatusOr<std::string_view> TextAt(const SlotRef& slot, uint32_t column, uint64_t number);

  SegmentBlocks& blocks_;
  const SegmentIndex& index_;
  const TracePlace& trace_;
  uint64_t next_row_ = 0;  // of the segment: whose children begin at next_children_; 0 for none
  ChildPlaces next_children_;
  // Of the span at hand.
  std::vector<SlotValue> values_;
  std::deque<std::vector<SlotValue>> child_values_;
  std::vector<ChildRow> events_;
  std::vector<ChildRow> links_;
  std::deque<std::string> texts_;
};

}  // namespace spanloom::store::columnar
