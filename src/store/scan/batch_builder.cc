// SPDX-License-Identifier: Apache-2.0

#include "store/scan/batch_builder.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "store/scan/span_fields.h"

namespace spanloom::store::scan {
namespace {

template <typename T>
void MoveToEnd(std::vector<T>&& from, std::vector<T>& to) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

void AppendColumn(Column&& later, Column& column) {
  const auto shift = static_cast<uint32_t>(column.cells.size());
  MoveToEnd(std::move(later.cells), column.cells);
  for (size_t row = 1; row < later.offsets.size(); ++row) column.offsets.push_back(later.offsets[row] + shift);
}

}  // namespace

StatusOr<std::optional<SpanBatch>> BatchBuilder::Add(TraceReading& trace, const FetchPosition& position,
                                                     TraceSelector& selector, std::shared_ptr<const void> pin,
                                                     ReadMeter& meter) {
  BatchBuilder one(plan_);
  one.texts_ = texts_;  // else each trace would have a block of its own
  RETURN_IF_ERROR(one.Build(trace, position, selector, meter));
  one.Pin(std::move(pin));
  std::optional<SpanBatch> full;
  if (bytes() + one.bytes() > plan_.limits.bytes_max) full = Finish();
  Append(std::move(one));
  if (!full && rows() >= kRows) full = Finish();
  return full;
}

Status BatchBuilder::Build(TraceReading& trace, const FetchPosition& position, TraceSelector& selector,
                           ReadMeter& meter) {
  BeginTrace(position, static_cast<uint32_t>(trace.size()));
  for (size_t ordinal = 0; ordinal < trace.size(); ++ordinal) {
    RETURN_IF_ERROR(meter.Step());
    const uint64_t matches = selector.MatchesOf(trace, ordinal);
    if (matches == 0 && plan_.rows == FetchPlan::Rows::kMatching) continue;
    AddRow(trace, ordinal, matches);
    if (bytes() > plan_.limits.bytes_max) return TooLarge(position.id);
  }
  return absl::OkStatus();
}

Status BatchBuilder::TooLarge(const otlp::TraceId& id) const {
  return absl::ResourceExhaustedError(StrCat("the answer for trace ", id.Hex(), " exceeds ", plan_.limits.bytes_max,
                                             " bytes after ", rows(), " spans; ask for fewer fields or spans"));
}

void BatchBuilder::BeginTrace(const FetchPosition& position, uint32_t span_count) {
  batch_.columns.resize(plan_.fields.size());
  batch_.traces.push_back(
      {.position = position, .first_row = static_cast<uint32_t>(rows()), .row_count = 0, .span_count = span_count});
}

void BatchBuilder::AddRow(TraceReading& trace, size_t ordinal, uint64_t matches) {
  if (texts_ == nullptr) texts_ = std::make_shared<TextArena>();
  const size_t text_bytes = texts_->bytes();
  ++batch_.traces.back().row_count;
  batch_.matches.push_back(matches);
  row_bytes_ += sizeof(uint64_t);
  for (size_t i = 0; i < plan_.fields.size(); ++i) {
    Column& column = batch_.columns[i];
    ForEachValue(plan_.fields[i], trace, ordinal, *texts_, [this, &column](const Cell& cell) {
      column.cells.push_back(cell);
      row_bytes_ += sizeof(Cell);
      return true;
    });
    column.EndRow();
    row_bytes_ += sizeof(uint32_t);
  }
  row_bytes_ += texts_->bytes() - text_bytes;
  if (plan_.wants_messages) {
    batch_.messages.push_back(trace.stored(ordinal));
    row_bytes_ += sizeof(StoredSpan) + trace.stored(ordinal).wire.size();
  }
  if (plan_.wants_structure) {
    batch_.places.push_back(trace.place(ordinal));
    row_bytes_ += sizeof(SpanPlace);
  }
}

size_t BatchBuilder::bytes() const {
  return row_bytes_ + batch_.traces.size() * sizeof(TraceRows);
}

void BatchBuilder::Append(BatchBuilder&& later) {
  texts_ = std::move(later.texts_);
  row_bytes_ += later.row_bytes_;
  if (batch_.traces.empty()) {
    batch_ = std::move(later.batch_);
    return;
  }
  for (TraceRows& trace : later.batch_.traces) {
    trace.first_row += static_cast<uint32_t>(rows());
    batch_.traces.push_back(trace);
  }
  MoveToEnd(std::move(later.batch_.matches), batch_.matches);
  MoveToEnd(std::move(later.batch_.messages), batch_.messages);
  MoveToEnd(std::move(later.batch_.places), batch_.places);
  MoveToEnd(std::move(later.batch_.pins), batch_.pins);
  for (size_t i = 0; i < batch_.columns.size(); ++i) {
    AppendColumn(std::move(later.batch_.columns[i]), batch_.columns[i]);
  }
}

std::optional<SpanBatch> BatchBuilder::Finish() {
  if (batch_.traces.empty()) return std::nullopt;
  if (texts_ != nullptr) Pin(std::exchange(texts_, nullptr));
  row_bytes_ = 0;
  return std::exchange(batch_, {});
}

}  // namespace spanloom::store::scan
