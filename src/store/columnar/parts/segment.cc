// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/parts/segment.h"

namespace spanloom::store::columnar {

std::shared_ptr<const Segment> Segment::Without(const std::vector<uint64_t>& traces, uint64_t spans) const {
  auto segment = std::make_shared<Segment>(row_, reader_);
  segment->gone_ = gone_;
  segment->gone_.resize(row_.traces);
  for (const uint64_t trace : traces) segment->gone_[trace] = true;
  segment->gone_traces_ = gone_traces_ + traces.size();
  segment->gone_spans_ = gone_spans_ + spans;
  return segment;
}

StatusOr<std::optional<TracePlace>> Segment::Find(const otlp::TraceId& id) const {
  ASSIGN_OR_RETURN(std::optional<TracePlace> place, reader_->Find(id));
  if (place && IsGone(place->number)) return std::nullopt;
  return place;
}

}  // namespace spanloom::store::columnar
