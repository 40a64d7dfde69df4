// SPDX-License-Identifier: Apache-2.0
//
// Some segments, and a filter that tells of nearly every trace that none of them has it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "otlp/ids.h"
#include "store/columnar/parts/segment.h"
#include "store/columnar/segment/hash_filter.h"

namespace spanloom::store::columnar {

// Immutable. 12 bits a trace. It goes on standing for segments that lose traces, and for what is left of them.
class SegmentGroup {
 public:
  // Takes about 30 ns a trace.
  explicit SegmentGroup(std::span<const std::shared_ptr<const Segment>> segments);

  [[nodiscard]] bool MayHave(const otlp::TraceId& id) const { return filter_.MayHave(SegmentReader::PrefixOf(id)); }
  // Their ids.
  [[nodiscard]] const std::vector<uint64_t>& segments() const { return segments_; }

 private:
  std::vector<uint64_t> segments_;
  HashFilter filter_;  // of the first bytes of ids: they are in memory, and of 20 million traces 1 in 200 shares them
};

}  // namespace spanloom::store::columnar
