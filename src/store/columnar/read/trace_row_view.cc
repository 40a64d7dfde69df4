// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/read/trace_row_view.h"

namespace spanloom::store::columnar {

void AppendCells(const TraceRowView& row, TraceColumn column, std::vector<Cell>& cells) {
  const auto add_slot = [&](TraceSlot slot) { cells.push_back(ClampedCell(row.place.entry[slot])); };
  switch (column) {
    case TraceColumn::kId:
      return cells.push_back(Cell::String(row.id(), ValueKind::kBytes));
    case TraceColumn::kRootService:
      if (row.summary().has_root) cells.push_back(Cell::String(row.summary().root_service));
      return;
    case TraceColumn::kRootName:
      if (row.summary().has_root) cells.push_back(Cell::String(row.summary().root_name));
      return;
    case TraceColumn::kStart:
      return add_slot(TraceSlot::kStart);
    case TraceColumn::kDuration:
      return add_slot(TraceSlot::kDuration);
    case TraceColumn::kSpans:
      return add_slot(TraceSlot::kRows);
    case TraceColumn::kErrors:
      return add_slot(TraceSlot::kErrors);
    case TraceColumn::kOrphans:
      return add_slot(TraceSlot::kOrphans);
    case TraceColumn::kService:
      for (const TraceSummary::Service& service : row.summary().services) cells.push_back(Cell::String(service.name));
      return;
  }
}

}  // namespace spanloom::store::columnar
