// SPDX-License-Identifier: Apache-2.0
//
// Walks over the traces that a question is about, a page of the index at a time, while the store goes on.

#pragma once

#include <absl/container/flat_hash_set.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/status.h"
#include "otlp/ids.h"
#include "store/head/trace_index.h"
#include "store/head/trace_table.h"
#include "store/scan/read_meter.h"
#include "store/scan/trace_reading.h"

namespace spanloom::store::head {

// Every trace that was stored when it was made comes exactly once (unless it is removed meanwhile), as it is when it is
// read: a trace that grows moves in the order, and may have moved to a place that was already read; so traces that
// changed and did not come yet are read at the end. Thread-compatible; takes the table's lock for a page at a time.
class CandidateReader {
 public:
  CandidateReader(const LockedTable& table, CandidateQuery query);
  // Only these traces, in no order.
  CandidateReader(const LockedTable& table, CandidateQuery query, std::vector<otlp::TraceId> ids);

  // Leaves out what stands before that place in the order. To be called first.
  void StartAfter(const FetchPosition& position) { after_ = position; }

  // The next trace; nullopt at the end.
  std::optional<Candidate> Next();

  // Leaves out what is left of the index, but not what changed.
  void SkipToChanged();

 private:
  enum class Phase : uint8_t { kIds, kIndex, kChanged, kEnd };
  static constexpr size_t kPageTraces = 512;  // read under one lock: about 50 µs; guess

  void ReadPage();
  void ReadIds() ABSL_EXCLUSIVE_LOCKS_REQUIRED(table_.mutex);
  void ReadIndex() ABSL_EXCLUSIVE_LOCKS_REQUIRED(table_.mutex);
  void ReadChanged() ABSL_EXCLUSIVE_LOCKS_REQUIRED(table_.mutex);

  const LockedTable& table_;
  const CandidateQuery query_;
  std::vector<otlp::TraceId> ids_;  // left, from the end; of kIds
  Phase phase_;
  uint64_t begun_ = 0;                  // version of the table when this was made
  std::optional<FetchPosition> after_;  // where the next page of the index begins
  std::deque<Candidate> page_;
  absl::flat_hash_set<otlp::TraceId> seen_;  // that came already
};

// Reads the spans of a trace, and puts them in their order. Errors: the meter's.
Status ReadTrace(const Candidate& candidate, scan::TraceReading& reading, scan::ReadMeter& meter);

}  // namespace spanloom::store::head
