// SPDX-License-Identifier: Apache-2.0
//
// Which traces a retention policy removes. Belongs to the background thread.

#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "otlp/ids.h"
#include "store/columnar/parts/parts.h"
#include "store/retention.h"

namespace spanloom::store::columnar {

// What the policy does to the parts. A value.
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
};

// Traces go whole, from all parts, the one whose last span started longest ago first, until `policy` holds. O(traces).
// Errors: kDataLoss, those of the disk.
StatusOr<Expired> FindExpired(const Parts& parts, const RetentionPolicy& policy, uint64_t now_unix_ns);

}  // namespace spanloom::store::columnar
