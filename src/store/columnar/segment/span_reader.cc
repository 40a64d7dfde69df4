// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/span_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "otlp/views.h"
#include "store/columnar/segment/byte_writer.h"

namespace spanloom::store::columnar {
namespace {

constexpr size_t kSharedBytesMax = 256 << 10;  // of the spans that share one piece of memory; guess

Status Damaged(const PageView& page) {
  return absl::DataLossError(StrCat("the page at ", page.ref().codes.offset, " says what can't be"));
}

// The row behind this one, if it is of the same page; else 0, which no row has in front of it.
uint64_t NextInPage(uint64_t row) {
  return (row + 1) % kPageRows == 0 ? 0 : row + 1;
}

// The place among `ops` of the one slot that `op` has; nullopt if it has none.
std::optional<size_t> SlotOf(const Shape& shape, Op op) {
  const auto found = std::ranges::find(shape.slot_ops, op);
  if (found == shape.slot_ops.end()) return std::nullopt;
  return static_cast<size_t>(found - shape.slot_ops.begin());
}

}  // namespace

SpanReader::SpanReader(const TracePlace& trace, SegmentBlocks& blocks)
    : blocks_(blocks), index_(blocks.index()), trace_(trace) {}

StatusOr<SpanReader::RowRef> SpanReader::RowAt(uint64_t row) {
  const uint64_t absolute = trace_.first_row + row;
  PageView& page = blocks_.Page(absolute / kPageRows);
  ASSIGN_OR_RETURN(const auto places, page.Places(RowTable::kSpans));
  return RowRef{.page = &page, .place = places[absolute % kPageRows]};
}

Status SpanReader::Read(uint64_t begin, uint64_t end, std::vector<StoredSpan>& spans) {
  while (begin < end) {
    auto memory = std::make_shared<std::string>();
    std::vector<std::pair<size_t, std::shared_ptr<const SpanOrigin>>> parts;  // where each span ends
    for (; begin < end && memory->size() < kSharedBytesMax; ++begin) {
      std::shared_ptr<const SpanOrigin> origin;
      RETURN_IF_ERROR(AppendSpan(begin, *memory, origin));
      parts.emplace_back(memory->size(), std::move(origin));
    }
    size_t from = 0;
    for (auto& [to, origin] : parts) {
      const std::string_view view = std::string_view(*memory).substr(from, to - from);
      spans.push_back({.wire = Bytes(memory, view), .origin = std::move(origin)});
      from = to;
    }
  }
  return absl::OkStatus();
}

Status SpanReader::AppendSpan(uint64_t row, std::string& out, std::shared_ptr<const SpanOrigin>& origin) {
  texts_.clear();
  child_values_.clear();
  events_.clear();
  links_.clear();
  ASSIGN_OR_RETURN(const RowRef ref, RowAt(row));
  PageView& page = *ref.page;
  const Shape& shape = page.ShapeOf(RowTable::kSpans, ref.place.group);
  RETURN_IF_ERROR(ReadValues(page, RowTable::kSpans, ref.place, values_));
  RETURN_IF_ERROR(ResolveParent(shape, row, values_));
  const uint64_t number = values_[0].number();
  if (number >= index_.origins().size()) return Damaged(page);
  origin = index_.origins()[number];
  const ChildCounts counts = CountChildren(shape, values_);
  const uint64_t absolute = trace_.first_row + row;
  if (counts.events > 0 || counts.links > 0) {
    if (next_row_ != absolute) {
      ASSIGN_OR_RETURN(next_children_, ChildrenBefore(page, absolute % kPageRows));
    }
    RETURN_IF_ERROR(ReadChildren(page, RowTable::kEvents, next_children_.events, counts.events, events_));
    RETURN_IF_ERROR(ReadChildren(page, RowTable::kLinks, next_children_.links, counts.links, links_));
    next_children_.events += counts.events;
    next_children_.links += counts.links;
    next_row_ = NextInPage(absolute);
  } else if (next_row_ == absolute) {
    next_row_ = NextInPage(absolute);
  }
  const otlp::TraceId id = trace_.id();
  Assemble({.shape = &shape,
            .values = values_,
            .trace_id = id.view(),
            .trace_start = trace_.start_unix_ns(),
            .events = events_,
            .links = links_},
           index_.columns(), out);
  return absl::OkStatus();
}

Status SpanReader::ReadValues(PageView& page, RowTable table, const RowPlace& place, std::vector<SlotValue>& values) {
  const GroupRef& group = page.ref().table(table).groups[place.group];
  const Shape& shape = page.ShapeOf(table, place.group);
  ASSIGN_OR_RETURN(const char* const payload, page.Payload(table, place.group));
  values.clear();
  for (size_t slot = 0; slot < group.slots.size(); ++slot) {
    const uint64_t number = PageView::Number(group, payload, slot, place.index);
    if (shape.slots[slot] == SlotKind::kNumber) {
      values.push_back(SlotValue::Number(number));
      continue;
    }
    ASSIGN_OR_RETURN(const std::string_view text, TextAt(group.slots[slot], shape.slot_columns[slot], number));
    values.push_back(SlotValue::Text(text));
  }
  return absl::OkStatus();
}

StatusOr<std::string_view> SpanReader::TextAt(const SlotRef& slot, uint32_t column, uint64_t number) {
  if (slot.place == SlotPlace::kPool) {
    std::string& text = texts_.emplace_back();
    RETURN_IF_ERROR(blocks_.pool().AppendText(trace_, number, text));
    return text;
  }
  const auto dictionary = index_.Dictionary(column);
  if (number >= dictionary.size()) return absl::DataLossError("a text that its dictionary does not have");
  return dictionary[number];
}

// A parent by row becomes its id.
Status SpanReader::ResolveParent(const Shape& shape, uint64_t row, std::vector<SlotValue>& values) {
  const std::optional<size_t> slot = SlotOf(shape, Op::kParent);
  if (!slot) return absl::OkStatus();
  const uint64_t parent = row - static_cast<uint64_t>(UnZigZag(values[*slot].number()));
  if (parent >= trace_.rows()) return absl::DataLossError("a parent that the trace does not have");
  ASSIGN_OR_RETURN(const uint64_t id, SpanIdAt(parent));
  values[*slot] = SlotValue::Number(id);
  return absl::OkStatus();
}

StatusOr<uint64_t> SpanReader::SpanIdAt(uint64_t row) {
  ASSIGN_OR_RETURN(const RowRef ref, RowAt(row));
  const Shape& shape = ref.page->ShapeOf(RowTable::kSpans, ref.place.group);
  const GroupRef& group = ref.page->ref().table(RowTable::kSpans).groups[ref.place.group];
  ASSIGN_OR_RETURN(const char* const payload, ref.page->Payload(RowTable::kSpans, ref.place.group));
  if (const std::optional<size_t> slot = SlotOf(shape, Op::kSpanId)) {
    return PageView::Number(group, payload, *slot, ref.place.index);
  }
  const std::optional<size_t> raw = SlotOf(shape, Op::kRaw);
  if (!raw) return Damaged(*ref.page);
  const uint64_t number = PageView::Number(group, payload, *raw, ref.place.index);
  ASSIGN_OR_RETURN(const std::string_view wire, TextAt(group.slots[*raw], kRawColumn, number));
  uint64_t id = 0;
  std::memcpy(&id, otlp::SpanView(wire).span_id().bytes.data(), sizeof(id));
  return id;
}

StatusOr<SpanReader::ChildPlaces> SpanReader::ChildrenBefore(PageView& page, size_t row) {
  ChildPlaces before;
  ASSIGN_OR_RETURN(const auto places, page.Places(RowTable::kSpans));
  for (size_t i = 0; i < row; ++i) {
    const Shape& shape = page.ShapeOf(RowTable::kSpans, places[i].group);
    for (size_t slot = 0; slot < shape.slot_ops.size(); ++slot) {
      const Op op = shape.slot_ops[slot];
      if (op != Op::kEvents && op != Op::kLinks) continue;
      ASSIGN_OR_RETURN(const char* const payload, page.Payload(RowTable::kSpans, places[i].group));
      const GroupRef& group = page.ref().table(RowTable::kSpans).groups[places[i].group];
      const uint64_t count = PageView::Number(group, payload, slot, places[i].index);
      (op == Op::kEvents ? before.events : before.links) += count;
    }
  }
  return before;
}

Status SpanReader::ReadChildren(PageView& page, RowTable table, size_t begin, size_t count,
                                std::vector<ChildRow>& children) {
  ASSIGN_OR_RETURN(const auto places, page.Places(table));
  if (begin > places.size() || count > places.size() - begin) return Damaged(page);
  for (const RowPlace& place : places.subspan(begin, count)) {
    std::vector<SlotValue>& values = child_values_.emplace_back();
    RETURN_IF_ERROR(ReadValues(page, table, place, values));
    children.push_back({.shape = &page.ShapeOf(table, place.group), .values = values});
  }
  return absl::OkStatus();
}

}  // namespace spanloom::store::columnar
