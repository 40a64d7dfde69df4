// SPDX-License-Identifier: Apache-2.0
//
// Writes a head to a segment, and makes the segment known to the catalogue. Belongs to the background thread.

#pragma once

#include <cstdint>
#include <memory>

#include "base/status.h"
#include "store/columnar/parts/segment.h"
#include "store/columnar/parts/segment_directory.h"
#include "store/head/trace_table.h"

namespace spanloom::store::columnar {

// Sequence-bound: the background thread. All that it is given must outlive it.
class Flusher {
 public:
  explicit Flusher(SegmentDirectory& segments) : segments_(segments) {}

  // The segment with all traces of `head`, which nothing changes any more; null if it has none. All frames of the log
  // up to `log_position` are in segments then. After an error it is to be tried again with the same head, until it
  // succeeds: the head may be in a segment already, and nobody knows. Errors: those of the disk and of the catalogue.
  StatusOr<std::shared_ptr<const Segment>> Write(const head::LockedTable& head, uint64_t log_position);

 private:
  SegmentDirectory& segments_;
  std::shared_ptr<const Segment> written_;  // by an attempt whose commit has failed; null if there is none
};

}  // namespace spanloom::store::columnar
