// SPDX-License-Identifier: Apache-2.0
//
// Which traces a FetchPlan selects, and which of their spans meet which spanset.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "store/fetch.h"
#include "store/scan/predicate_matcher.h"
#include "store/scan/read_meter.h"
#include "store/scan/trace_reading.h"

namespace spanloom::store::scan {

// Thread-compatible.
class TraceSelector {
 public:
  // `plan` must be valid; it need not outlive the selector.
  explicit TraceSelector(const FetchPlan& plan);

  // The latest start among the matching spans of `trace`; nullopt if the trace is not selected. Looks no further back
  // than it must. Errors: the meter's.
  StatusOr<std::optional<uint64_t>> LatestMatch(TraceReading& trace, ReadMeter& meter);

  // Bit i: the span matches spansets[i], its start included.
  [[nodiscard]] uint64_t MatchesOf(TraceReading& trace, size_t ordinal);

  // True if every span that starts within the range matches, so that a trace's place follows from its starts alone.
  [[nodiscard]] bool matches_everything() const;

  // True if a spanset is about the trace, or the span's place in it.
  [[nodiscard]] bool needs_trace() const;

  // Services of which a selected trace must have spans: all of them for Join::kAll, one of them for Join::kAny; any
  // trace will do if it is empty.
  [[nodiscard]] const std::vector<std::string>& services() const { return services_; }
  // The one service that all matching spans are of, if there is one.
  [[nodiscard]] std::optional<std::string> only_service() const;

 private:
  static std::vector<std::string> ServicesOf(const std::vector<PredicateMatcher>& matchers, FetchPlan::Join join);

  const FetchPlan::Join join_;
  const TimeRange starts_;
  std::vector<PredicateMatcher> matchers_;  // [spansets]
  std::vector<std::string> services_;
  bool all_have_services_ = false;  // each spanset names its service
};

}  // namespace spanloom::store::scan
