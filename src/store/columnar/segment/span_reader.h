// SPDX-License-Identifier: Apache-2.0
//
// Puts the spans of one trace together again, page by page.

#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "store/columnar/segment/assembler.h"
#include "store/columnar/segment/page_view.h"
#include "store/columnar/segment/pool_reader.h"
#include "store/columnar/segment/text_pool_index.h"
#include "store/columnar/segment/trace_place.h"
#include "store/span.h"

namespace spanloom::store::columnar {

// For one trace. Thread-compatible. File and index must outlive it.
class SpanReader {
 public:
  SpanReader(const disk::File& file, const SegmentIndex& index, const TracePlace& trace);

  // Appends the spans that lie in rows [begin, end) of the trace. Errors: kDataLoss, those of the disk.
  Status Read(uint64_t begin, uint64_t end, std::vector<StoredSpan>& spans);

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

  PageView& PageAt(uint64_t page);
  StatusOr<RowRef> RowAt(uint64_t row);
  Status AppendSpan(uint64_t row, std::string& out, std::shared_ptr<const SpanOrigin>& origin);
  Status ReadValues(PageView& page, RowTable table, const RowPlace& place, std::vector<SlotValue>& values);
  Status ResolveParent(const Shape& shape, uint64_t row, std::vector<SlotValue>& values);
  StatusOr<uint64_t> SpanIdAt(uint64_t row);
  Status ReadChildren(PageView& page, RowTable table, size_t begin, size_t count, std::vector<ChildRow>& children);
  StatusOr<ChildPlaces> ChildrenBefore(PageView& page, size_t row);
  StatusOr<std::string_view> TextAt(const SlotRef& slot, uint32_t column, uint64_t number);

  const disk::File& file_;
  const SegmentIndex& index_;
  const TracePlace& trace_;
  std::map<uint64_t, PageView> pages_;  // by number
  PoolReader pool_;
  // Where the next row's children begin, if it lies in that page at that place.
  PageView* next_page_ = nullptr;
  size_t next_row_ = 0;
  ChildPlaces next_children_;
  // Of the span at hand.
  std::vector<SlotValue> values_;
  std::deque<std::vector<SlotValue>> child_values_;
  std::vector<ChildRow> events_;
  std::vector<ChildRow> links_;
  std::deque<std::string> texts_;
};

}  // namespace spanloom::store::columnar
