// SPDX-License-Identifier: Apache-2.0
//
// The traces of several segments as those of one: each once, in the order of a segment, with all its spans.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/status.h"
#include "otlp/ids.h"
#include "store/columnar/parts/segment.h"
#include "store/columnar/parts/split_traces.h"
#include "store/columnar/segment/segment_blocks.h"
#include "store/columnar/segment/span_source.h"
#include "store/span.h"

namespace spanloom::store::columnar {

// A part of a trace: in which source, and where.
struct TracePart {
  size_t source = 0;
  TracePlace place;
};

// Thread-compatible. Memory: a few hundred places of traces and SegmentBlocks a source. All that it is given must
// outlive it; `split` must know every trace that lies in several of them.
class MergedTraces {
 public:
  // `sources`: in order of arrival. Traces that are gone are left out.
  MergedTraces(std::span<const std::shared_ptr<const Segment>> sources, const SplitTraces& split);

  // The parts of the next trace, in order of arrival; empty at the end. Errors: kDataLoss, those of the disk.
  StatusOr<std::vector<TracePart>> Next();

  // All spans of a trace, by start, then arrival. Errors: as Next().
  StatusOr<std::vector<StoredSpan>> ReadSpans(std::span<const TracePart> parts);

  // The same piece by piece. `parts` and this must outlive the result.
  [[nodiscard]] std::unique_ptr<SpanSource> SpansOf(std::span<const TracePart> parts);

  // Number of the source that the last error was about.
  [[nodiscard]] size_t failed_source() const { return failed_source_; }

 private:
  class LargeTrace;
  struct Source {
    explicit Source(const Segment& of) : segment(&of), blocks(of.reader().MakeBlocks()) {}

    const Segment* segment;
    // Places of traces, a few at a time, and which of them is next.
    std::vector<TracePlace> places;
    size_t next = 0;
    uint64_t places_begin = 0;  // number of places[0]
    SegmentBlocks blocks;       // traces that come one after the other share most of them
  };

  // Steps over traces that are gone.
  Status FillPlaces(Source& source);
  // The source whose next trace is the first of all; null at the end.
  Source* First();
  // Finds the parts of a trace. None if it has come, or will, with another source.
  StatusOr<std::vector<TracePart>> PartsOf(size_t source, const TracePlace& place);
  Status Failed(size_t source, const Status& status);

  const SplitTraces& split_;
  std::vector<Source> sources_;
  size_t failed_source_ = 0;
};

}  // namespace spanloom::store::columnar
