// SPDX-License-Identifier: Apache-2.0
//
// Removes spans for good: the segments that have them are written again without.

#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "base/status.h"
#include "store/columnar/merge/segment_exchange.h"
#include "store/columnar/parts/run_in_background.h"
#include "store/columnar/read/purge_finder.h"
#include "store/retention.h"

namespace spanloom::store::columnar {

// All that it is given must outlive it. Memory: 4 bytes for each span that goes, 50 for each trace of a segment that is
// written, and as Compactor.
class Purger {
 public:
  Purger(SegmentDirectory& segments, PartsTable& parts, SegmentExchange& exchange, const Clock& clock,
         RunInBackground run_in_background)
      : segments_(segments),
        parts_(parts),
        exchange_(exchange),
        clock_(clock),
        run_in_background_(std::move(run_in_background)) {}

  // Removes what `plan`, which must be valid, says of all segments; heads are not looked at. On the thread that merges.
  // All or nothing. Errors: kDataLoss (a segment that has to be read is damaged), kResourceExhausted (no room), those
  // of the disk and the catalogue.
  StatusOr<Removed> Purge(const PurgePlan& plan);

 private:
  class Run;

  SegmentDirectory& segments_;
  PartsTable& parts_;
  SegmentExchange& exchange_;  // the background thread's
  const Clock& clock_;
  RunInBackground run_in_background_;
};

}  // namespace spanloom::store::columnar
