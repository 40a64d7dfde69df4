// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/parts/trace_gatherer.h"

#include "base/text.h"

namespace spanloom::store::columnar {

head::TraceSpans SpansIn(const head::LockedTable& table, const otlp::TraceId& id) {
  const MutexLock lock(table.mutex);
  const head::StoredTrace* const trace = table.table.Find(id);
  return trace == nullptr ? head::TraceSpans() : trace->spans;
}

StatusOr<GatheredSpans> TraceGatherer::Gather(const otlp::TraceId& id, const TraceHint& hint, scan::ReadMeter& meter) {
  spans_ = std::make_shared<std::vector<StoredSpan>>();
  bytes_ = 0;
  version_ = 0;
  if ((hint.segment == nullptr && hint.head.empty()) || split_.Contains(id)) {
    RETURN_IF_ERROR(AddAll(id, meter));
  } else if (hint.segment != nullptr) {
    RETURN_IF_ERROR(AddSegment(*hint.segment, hint.place, meter));
  } else {
    RETURN_IF_ERROR(AddHead(hint.head, id, meter));
  }
  return spans_->empty() ? nullptr : GatheredSpans(std::move(spans_));
}

Status TraceGatherer::AddAll(const otlp::TraceId& id, scan::ReadMeter& meter) {
  RETURN_IF_ERROR(parts_.segments.Find(
      id, [&](size_t index, const TracePlace& place) { return AddSegment(*parts_.segments[index], place, meter); }));
  for (const head::LockedTable* const table : {parts_.full.get(), parts_.filling.get()}) {
    if (table == nullptr) continue;
    RETURN_IF_ERROR(AddHead(SpansIn(*table, id), id, meter));
  }
  return absl::OkStatus();
}

Status TraceGatherer::AddSegment(const Segment& segment, const TracePlace& place, scan::ReadMeter& meter) {
  StatusOr<std::vector<StoredSpan>> read = SegmentReader::ReadSpans(place, meter.limits().bytes_max, BlocksOf(segment));
  if (absl::IsDataLoss(read.status())) return Annotate(read.status(), segment.row().file);
  ASSIGN_OR_RETURN(std::vector<StoredSpan> spans, std::move(read));
  version_ += place.entry[TraceSlot::kVersion];
  size_t bytes = 0;
  for (const StoredSpan& span : spans) bytes += span.wire.size() + sizeof(StoredSpan);
  RETURN_IF_ERROR(Count(bytes, place.id(), meter));
  spans_->insert(spans_->end(), std::make_move_iterator(spans.begin()), std::make_move_iterator(spans.end()));
  return absl::OkStatus();
}

SegmentBlocks& TraceGatherer::BlocksOf(const Segment& segment) {
  const auto found = blocks_.find(&segment);
  if (found != blocks_.end()) return found->second;
  if (blocks_.size() == kSegmentsMax) blocks_.clear();
  return blocks_.emplace(&segment, segment.reader().MakeBlocks()).first->second;
}

Status TraceGatherer::AddHead(const head::TraceSpans& spans, const otlp::TraceId& id, scan::ReadMeter& meter) {
  size_t bytes = 0;
  spans.ForEach([&](const StoredSpan& span) {
    bytes += span.wire.size() + sizeof(StoredSpan);
    spans_->push_back(span);
    ++version_;
    return true;
  });
  return Count(bytes, id, meter);
}

Status TraceGatherer::Count(size_t bytes, const otlp::TraceId& id, scan::ReadMeter& meter) {
  bytes_ += bytes;
  if (bytes_ <= meter.limits().bytes_max) return absl::OkStatus();
  return absl::ResourceExhaustedError(StrCat("trace ", id.Hex(), " takes more than ", meter.limits().bytes_max,
                                             " bytes, the most that one question may hold"));
}

}  // namespace spanloom::store::columnar
