// SPDX-License-Identifier: Apache-2.0
//
// Which traces a retention policy removes. Belongs to the background thread.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/status.h"
#include "otlp/ids.h"
#include "store/columnar/parts/parts.h"
#include "store/columnar/parts/split_traces.h"
#include "store/retention.h"

namespace spanloom::store::columnar {

// What the policy does to the parts, or a first piece of it. A value.
struct Expired {
  // [segments of the parts]: numbers of the traces that go, ascending, and their spans.
  struct OfSegment {
    std::vector<uint64_t> traces;
    uint64_t spans = 0;
  };
  std::vector<OfSegment> segments;
  std::vector<otlp::TraceId> traces;      // that have spans in a head
  std::vector<otlp::TraceId> all_traces;  // these, and those that have none there
  Removed removed;                        // its bytes are to be filled in
  bool is_all = true;                     // false: more may have to go; to be asked again
};

// How many segments are looked at, those that are oldest by their last start; what overlaps them is looked at too.
struct SegmentCount {
  size_t min = 1;
  size_t max = 16;  // bounds memory: some 100 bytes for each of their traces. Guess: a million traces of an LLM server
};

// Traces go whole, from all parts, the one whose last span started longest ago first, until `policy` holds. Reads
// nothing of segments that are young enough. Errors: kDataLoss, those of the disk.
StatusOr<Expired> FindExpired(const Parts& parts, const SplitTraces& split, const RetentionPolicy& policy,
                              uint64_t now_unix_ns, const SegmentCount& count);

}  // namespace spanloom::store::columnar
