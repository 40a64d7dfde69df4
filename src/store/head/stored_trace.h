// SPDX-License-Identifier: Apache-2.0
//
// One trace as it is kept in memory: its spans, and what the store's indices know about it.

#pragma once

#include <absl/container/btree_map.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <list>
#include <memory>
#include <vector>

#include "store/head/arrival_table.h"
#include "store/head/few_set.h"
#include "store/head/origin_table.h"
#include "store/head/trace_spans.h"
#include "store/request_row.h"
#include "store/time_range.h"
#include "store/trace_row.h"

namespace spanloom::store::head {

struct ServiceEntry;    // trace_index.h
struct OperationEntry;  // trace_index.h

// When spans started: both ends inclusive, Unix ns. Empty at first.
struct StartRange {
  uint64_t earliest = std::numeric_limits<uint64_t>::max();
  uint64_t latest = 0;

  [[nodiscard]] bool empty() const { return earliest > latest; }
  void Include(uint64_t start_unix_ns) {
    earliest = std::min(earliest, start_unix_ns);
    latest = std::max(latest, start_unix_ns);
  }
  // False if no start within it can lie in `range`.
  [[nodiscard]] bool Overlaps(const TimeRange& range) const { return range.Overlaps(earliest, latest); }
};

// The spans of one service in a trace.
struct ServiceUse {
  StartRange starts;
  uint64_t spans = 0;
};

// The request rows of a trace, and when they were derived. Immutable.
struct DerivedRequests {
  std::vector<std::shared_ptr<const RequestRow>> rows;  // shared with answers
  uint64_t version = 0;                                 // StoredTrace::version of the spans
  int64_t derived_unix_ns = 0;
  bool is_provisional = false;  // any of them is
};

// Guarded by the store's mutex, but for what shared pointers point to, which is immutable.
struct StoredTrace {
  explicit StoredTrace(const otlp::TraceId& trace_id) : id(trace_id) {}

  const otlp::TraceId id;
  TraceSpans spans;  // readers have copies
  ArrivalTable arrivals;
  FewSet<KnownOrigin*, 4> origins;               // of its spans; each acquired in the OriginTable
  size_t wire_bytes = 0;                         // of its spans
  size_t origin_bytes = 0;                       // of its origins, each counted once
  uint64_t version = 0;                          // sequence number of the last change of the store that changed it
  std::list<StoredTrace*>::iterator by_arrival;  // its place in the store's list

  // Kept by TraceIndex.
  StartRange starts;                                      // of all spans
  absl::btree_map<ServiceEntry*, ServiceUse> services;    // of the spans of each service
  absl::btree_map<OperationEntry*, uint64_t> operations;  // spans of each

  // Rows of the summary tables, from the last time that they were asked for. Null if the spans have changed since
  // (requests: if their version is another). Shared with answers.
  std::shared_ptr<const TraceRow> row;
  std::shared_ptr<const DerivedRequests> requests;
};

}  // namespace spanloom::store::head
