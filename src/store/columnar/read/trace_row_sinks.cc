// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/read/trace_row_sinks.h"

#include <memory>

namespace spanloom::store::columnar {
namespace {

std::optional<TraceSlot> SlotOf(TraceColumn column) {
  switch (column) {
    case TraceColumn::kStart:
      return TraceSlot::kStart;
    case TraceColumn::kDuration:
      return TraceSlot::kDuration;
    case TraceColumn::kSpans:
      return TraceSlot::kRows;
    case TraceColumn::kErrors:
      return TraceSlot::kErrors;
    case TraceColumn::kOrphans:
      return TraceSlot::kOrphans;
    case TraceColumn::kId:
    case TraceColumn::kRootService:
    case TraceColumn::kRootName:
    case TraceColumn::kService:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

TracePage::TracePage(const RowQuery<TraceColumn>& query, Selection selection)
    : order_slot_(SlotOf(query.order_by)), selection_(std::move(selection)) {}

bool TracePage::MayWant(const TraceChunkRef& chunk, bool are_whole) const {
  if (!order_slot_) return true;
  // Of a trace in several chunks the first start is that of one of them; nothing else is.
  if (!are_whole && *order_slot_ != TraceSlot::kStart) return true;
  const PackedSlice& slice = chunk.slots[static_cast<size_t>(*order_slot_)];
  return selection_.MayChange(Value(ClampedCell(slice.base)), Value(ClampedCell(slice.max())));
}

Status TracePage::Add(const TraceRowView& row) {
  return selection_.Add(row, [&] { return std::make_shared<const TraceRow>(row.reader.RowOf(row.place)); });
}

}  // namespace spanloom::store::columnar
