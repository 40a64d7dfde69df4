// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/parts/segment_group.h"

namespace spanloom::store::columnar {
namespace {

size_t TracesOf(std::span<const std::shared_ptr<const Segment>> segments) {
  size_t traces = 0;
  for (const auto& segment : segments) traces += segment->reader().prefixes().size();
  return traces;
}

}  // namespace

SegmentGroup::SegmentGroup(std::span<const std::shared_ptr<const Segment>> segments) : filter_(TracesOf(segments)) {
  for (const auto& segment : segments) {
    segments_.push_back(segment->row().id);
    for (const uint32_t prefix : segment->reader().prefixes()) filter_.Add(prefix);
  }
}

}  // namespace spanloom::store::columnar
