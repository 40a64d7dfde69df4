// SPDX-License-Identifier: Apache-2.0
//
// The trace table of a segment for whoever goes through it: keeps the chunk that it read last.

#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/status.h"
#include "store/columnar/segment/segment_reader.h"

namespace spanloom::store::columnar {

// Thread-compatible. The reader must outlive it.
class TraceTableReader {
 public:
  explicit TraceTableReader(const SegmentReader& reader) : reader_(reader) {}

  // The traces of a chunk, in order; valid until the next call. Errors: those of SegmentReader::TracesOf.
  StatusOr<const std::vector<TracePlace>*> Chunk(size_t number) {
    if (number_ != number) {
      number_.reset();
      ASSIGN_OR_RETURN(traces_, reader_.TracesOf(reader_.index().trace_chunks()[number]));
      number_ = number;
    }
    return &traces_;
  }

 private:
  const SegmentReader& reader_;
  std::optional<size_t> number_;
  std::vector<TracePlace> traces_;
};

}  // namespace spanloom::store::columnar
