// SPDX-License-Identifier: Apache-2.0
//
// Brings the spans of a trace together from all parts of a store.

#pragma once

#include <map>
#include <memory>
#include <vector>

#include "base/status.h"
#include "store/columnar/parts/parts.h"
#include "store/columnar/parts/split_traces.h"
#include "store/scan/read_meter.h"
#include "store/scan/trace_reading.h"

namespace spanloom::store::columnar {

// Spans that were gathered, kept alive for cells that view them.
using GatheredSpans = std::shared_ptr<const std::vector<StoredSpan>>;

// Where a trace was found first: looking there again is saved if it lies in no other part. Empty: nowhere yet.
struct TraceHint {
  const Segment* segment = nullptr;
  TracePlace place;
  head::TraceSpans head;  // of a head
};

// Thread-compatible. The parts must outlive it.
class TraceGatherer {
 public:
  TraceGatherer(const Parts& parts, const SplitTraces& split) : parts_(parts), split_(split) {}

  // All spans of the trace, in the order of their arrival; null if there is none. Errors: kResourceExhausted, if
  // they exceed the meter's limits; kDataLoss, those of the disk.
  StatusOr<GatheredSpans> Gather(const otlp::TraceId& id, const TraceHint& hint, scan::ReadMeter& meter);

  // Of what was gathered last: TraceRow::version, the sum of those of the parts.
  [[nodiscard]] uint64_t version() const { return version_; }

 private:
  Status AddSegment(const Segment& segment, const TracePlace& place, scan::ReadMeter& meter);
  Status AddHead(const head::TraceSpans& spans, const otlp::TraceId& id, scan::ReadMeter& meter);
  Status AddAll(const otlp::TraceId& id, scan::ReadMeter& meter);
  Status Count(size_t bytes, const otlp::TraceId& id, scan::ReadMeter& meter);

  static constexpr size_t kSegmentsMax = 4;  // whose blocks are kept; guess
  SegmentBlocks& BlocksOf(const Segment& segment);

  const Parts& parts_;
  const SplitTraces& split_;
  std::map<const Segment*, SegmentBlocks> blocks_;
  std::shared_ptr<std::vector<StoredSpan>> spans_;  // becomes GatheredSpans
  size_t bytes_ = 0;
  uint64_t version_ = 0;
};

// The spans that a head has of a trace.
[[nodiscard]] head::TraceSpans SpansIn(const head::LockedTable& table, const otlp::TraceId& id);

}  // namespace spanloom::store::columnar
