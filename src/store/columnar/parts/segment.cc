// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/parts/segment.h"

#include <algorithm>

namespace spanloom::store::columnar {

std::shared_ptr<const Segment> Segment::Without(const std::vector<uint64_t>& traces, uint64_t spans,
                                                int64_t now_ns) const {
  auto segment = std::make_shared<Segment>(row_, reader_);
  segment->gone_ = gone_;
  segment->gone_.resize(row_.traces);
  for (const uint64_t trace : traces) segment->gone_[trace] = true;
  segment->gone_traces_ = gone_traces_ + traces.size();
  segment->gone_spans_ = gone_spans_ + spans;
  segment->shrunk_ns_ = now_ns;
  segment->requests_ = requests_;
  return segment;
}

std::shared_ptr<const Segment> Segment::WithRequests(std::shared_ptr<const RequestFile> requests) const {
  auto segment = std::make_shared<Segment>(*this);
  segment->requests_ = std::move(requests);
  return segment;
}

Gone Segment::GoneIn(size_t page) const {
  if (gone_.empty()) return Gone::kNone;
  const std::vector<PageRef>& pages = reader_->index().pages();
  // The first trace of the next page may have rows in this one, too.
  const uint64_t end = page + 1 < pages.size() ? pages[page + 1].first_trace + 1 : row_.traces;
  const auto first = gone_.begin() + static_cast<ptrdiff_t>(pages[page].first_trace);
  const auto last = gone_.begin() + static_cast<ptrdiff_t>(std::min(end, row_.traces));
  const auto other = std::find(first, last, !*first);
  if (other != last) return Gone::kSome;
  return *first ? Gone::kAll : Gone::kNone;
}

StatusOr<std::optional<TracePlace>> Segment::Find(const otlp::TraceId& id) const {
  ASSIGN_OR_RETURN(std::optional<TracePlace> place, reader_->Find(id));
  if (place && IsGone(place->number)) return std::nullopt;
  return place;
}

}  // namespace spanloom::store::columnar
