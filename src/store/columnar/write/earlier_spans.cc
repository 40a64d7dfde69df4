// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/write/earlier_spans.h"

#include <limits>
#include <memory>
#include <utility>

#include "store/columnar/parts/trace_gatherer.h"
#include "store/columnar/segment/span_reader.h"

namespace spanloom::store::columnar {
namespace {

bool IsSame(const StoredSpan& a, const head::IncomingSpan& b, const SpanOrigin& origin_of_b) {
  return a.wire.view() == b.wire.view() && AreEqual(*a.origin, origin_of_b);
}

}  // namespace

StatusOr<EarlierSpans> EarlierSpans::Read(const Parts& parts, const otlp::TraceId& id) {
  EarlierSpans earlier;
  RETURN_IF_ERROR(parts.segments.Find(id, [&](size_t index, const TracePlace& place) -> Status {
    const std::shared_ptr<const Segment>& segment = parts.segments[index];
    ASSIGN_OR_RETURN(const std::vector<StoredSpan> spans,
                     segment->reader().ReadSpans(place, std::numeric_limits<size_t>::max()));
    const auto number = static_cast<uint32_t>(earlier.segments_.size());
    earlier.segments_.push_back({.segment = segment, .place = place});
    for (size_t row = 0; row < spans.size(); ++row) earlier.Add(spans[row], {.segment = number, .row = row});
    return absl::OkStatus();
  }));
  if (parts.full == nullptr) return earlier;
  SpansIn(*parts.full, id).ForEach([&](const StoredSpan& span) {
    earlier.Add(span, {.segment = kHead, .row = earlier.head_.size()});
    earlier.head_.push_back(span);
    return true;
  });
  return earlier;
}

void EarlierSpans::Add(const StoredSpan& span, Place place) {
  uint64_t hash = head::ContentHash(span.wire.view());
  while (!places_.try_emplace(hash, place).second) ++hash;
}

// Reads single spans; neighbours share what was read for them.
class EarlierSpans::Reading {
 public:
  explicit Reading(const EarlierSpans& earlier) : earlier_(earlier), readers_(earlier.segments_.size()) {}

  StatusOr<StoredSpan> At(const Place& place) {
    if (place.segment == kHead) return earlier_.head_[place.row];
    const OfSegment& of = earlier_.segments_[place.segment];
    std::unique_ptr<OfReader>& reader = readers_[place.segment];
    if (reader == nullptr) reader = std::make_unique<OfReader>(of);
    std::vector<StoredSpan> spans;
    RETURN_IF_ERROR(reader->spans.Read(place.row, place.row + 1, spans));
    return std::move(spans.front());
  }

 private:
  struct OfReader {
    explicit OfReader(const OfSegment& of) : blocks(of.segment->reader().MakeBlocks()), spans(of.place, blocks) {}

    SegmentBlocks blocks;
    SpanReader spans;
  };

  const EarlierSpans& earlier_;
  std::vector<std::unique_ptr<OfReader>> readers_;  // [segments]; null until asked for
};

StatusOr<std::vector<bool>> EarlierSpans::Contains(const head::IncomingBatch& batch,
                                                   const head::IncomingTrace& trace) const {
  std::vector<bool> contains(trace.spans.size());
  Reading reading(*this);
  for (size_t i = 0; i < contains.size(); ++i) {
    const head::IncomingSpan& span = trace.spans[i];
    uint64_t hash = span.content_hash;
    for (auto found = places_.find(hash); found != places_.end() && !contains[i]; found = places_.find(++hash)) {
      ASSIGN_OR_RETURN(const StoredSpan stored, reading.At(found->second));
      contains[i] = IsSame(stored, span, *batch.origins[span.origin]);
    }
  }
  return contains;
}

}  // namespace spanloom::store::columnar
