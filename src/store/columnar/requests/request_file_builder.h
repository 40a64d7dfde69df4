// SPDX-License-Identifier: Apache-2.0
//
// Writes the file of a segment's request rows: traces in, in their order. Format: docs/formats/requests.md.

#pragma once

#include <cstdint>
#include <span>

#include "base/status.h"
#include "store/columnar/requests/request_file.h"
#include "store/columnar/segment/segment_sink.h"
#include "store/disk/disk.h"

namespace spanloom::store::columnar {

// Thread-compatible. Memory: one chunk.
class RequestFileBuilder {
 public:
  // Appends to `file`, which must be empty and outlive it.
  RequestFileBuilder(const SegmentIdentity& segment, uint32_t anatomy_version, disk::File& file);

  // The next trace is not covered.
  void AddUncovered();
  // The next trace, which is `trace`, has these rows. They must not be provisional; if there are more than
  // kRequestChunkRows it is not covered.
  void Add(const TracePlace& trace, std::span<const PlacedRow> rows);

  // Completes the file; all traces must have been added. Returns its rows. Errors: those of the file.
  StatusOr<uint64_t> Finish(uint64_t derived_unix_ns);

 private:
  void EndChunk();
  void EndChunkIfFull();

  RequestFileIndex index_;
  SegmentSink sink_;
  RequestChunkBuilder chunk_;
  uint64_t traces_ = 0;
};

}  // namespace spanloom::store::columnar
