// SPDX-License-Identifier: Apache-2.0
//
// How stored spans go: by age and size, in the background, or on request.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "otlp/ids.h"
#include "store/predicate.h"
#include "store/time_range.h"

namespace spanloom::store {

// Whole traces go, the oldest first; a trace is as old as its last span (its start). Never a part of a trace.
struct RetentionPolicy {
  std::optional<uint64_t> age_max_ns = std::nullopt;  // since the start of a trace's last span
  std::optional<uint64_t> bytes_max = std::nullopt;   // as StoreStats::bytes counts them
};

// Spans to be removed for good: those of `traces` (of any, if empty) that start within `starts` and meet `where`.
struct PurgePlan {
  std::vector<otlp::TraceId> traces = {};
  TimeRange starts = {};
  Predicate where = {};
};

struct Removed {
  uint64_t traces = 0;  // of which nothing is left
  uint64_t spans = 0;
  uint64_t bytes = 0;

  friend bool operator==(const Removed&, const Removed&) = default;
};

}  // namespace spanloom::store
