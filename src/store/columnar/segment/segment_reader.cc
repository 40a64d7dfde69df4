// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/segment_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "store/columnar/segment/span_reader.h"

namespace spanloom::store::columnar {

otlp::TraceId TracePlace::id() const {
  otlp::TraceId id;
  const uint64_t halves[] = {entry[TraceSlot::kIdLow], entry[TraceSlot::kIdHigh]};
  std::memcpy(id.bytes.data(), halves, sizeof(halves));
  return id;
}

StatusOr<std::unique_ptr<const SegmentReader>> SegmentReader::Open(std::unique_ptr<disk::File> file) {
  ASSIGN_OR_RETURN(std::unique_ptr<const SegmentIndex> index, SegmentIndex::Read(*file));
  return std::unique_ptr<const SegmentReader>(new SegmentReader(std::move(file), std::move(index)));
}

StatusOr<std::vector<TracePlace>> SegmentReader::TracesOf(const TraceChunkRef& chunk) const {
  ASSIGN_OR_RETURN(const Block block, ReadBlock(*file_, chunk.block));
  std::vector<TracePlace> places(chunk.traces);
  std::vector<uint64_t> values(chunk.traces);
  for (size_t slot = 0; slot < kTraceSlots; ++slot) {
    Unpack(chunk.slots[slot], block.data() + chunk.offsets[slot], 0, chunk.traces, values.data());
    for (size_t i = 0; i < values.size(); ++i) places[i].entry.values[slot] = values[i];
  }
  const auto number = static_cast<uint64_t>(&chunk - index_->trace_chunks().data()) * kChunkTraces;
  uint64_t row = chunk.first_row;
  uint64_t pool = chunk.first_pool;
  for (size_t i = 0; i < places.size(); ++i) {
    places[i].number = number + i;
    places[i].first_row = row;
    places[i].first_pool = pool;
    const uint64_t rows = places[i].rows();
    if (rows == 0 || rows > index_->totals().spans - row ||
        places[i].entry[TraceSlot::kSummary] >= index_->summaries().size()) {
      return absl::DataLossError(StrCat("the traces at ", chunk.block.offset, " say what can't be"));
    }
    row += rows;
    pool += places[i].entry[TraceSlot::kPoolEntries];
  }
  return places;
}

StatusOr<TracePlace> SegmentReader::TraceAt(uint64_t number) const {
  ASSIGN_OR_RETURN(const std::vector<TracePlace> places, TracesOf(index_->trace_chunks()[number / kChunkTraces]));
  return places[number % kChunkTraces];
}

StatusOr<std::optional<TracePlace>> SegmentReader::Find(const otlp::TraceId& id) const {
  uint64_t begin = 0;
  uint64_t end = index_->totals().traces;
  while (begin < end) {
    const uint64_t middle = begin + (end - begin) / 2;
    ASSIGN_OR_RETURN(const TracePlace place, TraceAt(index_->TraceInOrder(middle)));
    const otlp::TraceId found = place.id();
    if (found == id) return place;
    if (found < id) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return std::nullopt;
}

StatusOr<std::vector<StoredSpan>> SegmentReader::ReadSpans(const TracePlace& trace) const {
  std::vector<StoredSpan> spans;
  spans.reserve(trace.rows());
  RETURN_IF_ERROR(SpanReader(*file_, *index_, trace).Read(0, trace.rows(), spans));
  return spans;
}

StatusOr<TraceRow> SegmentReader::RowOf(const TracePlace& trace) const {
  const TraceSummary& summary = index_->summaries()[trace.entry[TraceSlot::kSummary]];
  TraceRow row;
  row.id = trace.id();
  if (summary.has_root) {
    row.root_service = std::string(summary.root_service);
    row.root_name = std::string(summary.root_name);
  }
  row.start_unix_ns = trace.start_unix_ns();
  row.end_unix_ns = row.start_unix_ns + trace.entry[TraceSlot::kDuration];
  row.spans = static_cast<uint32_t>(trace.rows());
  row.errors = static_cast<uint32_t>(trace.entry[TraceSlot::kErrors]);
  row.orphans = static_cast<uint32_t>(trace.entry[TraceSlot::kOrphans]);
  for (const TraceSummary::Service& service : summary.services) {
    row.services.push_back({.service = std::string(service.name), .spans = service.spans, .errors = service.errors});
  }
  row.version = trace.entry[TraceSlot::kVersion];
  return row;
}

}  // namespace spanloom::store::columnar
