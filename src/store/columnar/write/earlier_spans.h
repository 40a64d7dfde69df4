// SPDX-License-Identifier: Apache-2.0
//
// The spans of one trace that older parts have, so that what is delivered again is not stored again.

#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "base/status.h"
#include "store/columnar/parts/parts.h"
#include "store/head/incoming.h"

namespace spanloom::store::columnar {

// Finds spans by the hash of their content, and reads the one that it may be to be sure. Keeps its segments and the
// spans of a full head alive. Thread-compatible.
class EarlierSpans {
 public:
  // Reads the trace in all parts but the filling head. Errors: kDataLoss, those of the disk.
  static StatusOr<EarlierSpans> Read(const Parts& parts, const otlp::TraceId& id);

  [[nodiscard]] bool empty() const { return places_.empty(); }

  // [spans of `trace`, which is of `batch`]: it is there with the same bytes and the same origin. Errors: as Read.
  StatusOr<std::vector<bool>> Contains(const head::IncomingBatch& batch, const head::IncomingTrace& trace) const;

 private:
  struct OfSegment {
    std::shared_ptr<const Segment> segment;
    TracePlace place;
  };
  // Where a span is: a row of the trace in a segment, or in head_.
  struct Place {
    uint32_t segment = 0;  // number in segments_; kHead
    uint64_t row = 0;
  };
  static constexpr uint32_t kHead = 0xffff'ffff;

  class Reading;

  // Spans whose hashes are equal stand at the next free hash value.
  void Add(const StoredSpan& span, Place place);

  std::vector<OfSegment> segments_;
  std::vector<StoredSpan> head_;
  absl::flat_hash_map<uint64_t, Place> places_;
};

}  // namespace spanloom::store::columnar
