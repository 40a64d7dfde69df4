// SPDX-License-Identifier: Apache-2.0
//
// Which traces a retention policy removes.

#pragma once

#include <absl/container/inlined_vector.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/status.h"
#include "otlp/ids.h"
#include "store/columnar/parts/parts.h"
#include "store/columnar/parts/split_traces.h"
#include "store/retention.h"

namespace spanloom::store::columnar {

// A trace that goes. A value.
struct ExpiredTrace {
  struct Place {
    uint32_t part = 0;   // segment of the parts; their number and 0 for the full head, and 1 for the filling one
    uint64_t trace = 0;  // of a segment: the trace's number there
    uint64_t spans = 0;
  };
  otlp::TraceId id;
  bool is_split = false;  // it was known to lie in several parts, or to have done so
  absl::InlinedVector<Place, 1> places;
};

// What the policy does to the parts, or a first piece of it. A value.
struct Expired {
  std::vector<ExpiredTrace> traces;  // oldest first
  bool is_all = true;                // false: more may have to go; to be asked again
};

// How many segments are looked at, those that are oldest by their last start; what overlaps them is looked at too.
struct SegmentCount {
  size_t min = 1;
  size_t max = 4;  // bounds memory: some 200 bytes for each of their traces. Guess: 200,000 traces of an LLM server
};

// Traces go whole, from all parts, the one whose last span started longest ago first, until `policy` holds. Reads
// nothing of segments that are young enough, and of those that reach into younger times no chunk that begins there.
// From any thread; what comes after the parts were taken is for who removes to see. Errors: kDataLoss, those of the
// disk.
StatusOr<Expired> FindExpired(const Parts& parts, const SplitTraces& split, const RetentionPolicy& policy,
                              uint64_t now_unix_ns, const SegmentCount& count);

}  // namespace spanloom::store::columnar
