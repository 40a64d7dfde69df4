// SPDX-License-Identifier: Apache-2.0

#include "store/aggregate.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace spanloom::store {

Status ValidateSteps(const TimeRange& starts, uint64_t step_ns) {
  if (step_ns == 0) return absl::OkStatus();
  if (starts.end_unix_ns == TimeRange::kForEver) {
    return absl::InvalidArgumentError("steps need a time range with an end");
  }
  if (const uint64_t steps = StepsOf(starts, step_ns); steps > AggregatePlan::kStepsMax) {
    return absl::InvalidArgumentError(
        StrCat("the time range has ", steps, " steps; at most ", AggregatePlan::kStepsMax, " are allowed"));
  }
  return absl::OkStatus();
}

uint64_t StepsOf(const TimeRange& starts, uint64_t step_ns) {
  if (step_ns == 0) return 1;
  if (starts.IsEmpty()) return 0;
  const uint64_t length_ns = starts.end_unix_ns - starts.begin_unix_ns;
  return length_ns / step_ns + (length_ns % step_ns > 0 ? 1 : 0);
}

Status AggregatePlan::Validate() const {
  RETURN_IF_ERROR(where.Validate());
  RETURN_IF_ERROR(ValidateSteps(starts, step_ns));
  if (wants_distribution && !of) return absl::InvalidArgumentError("a distribution is of a field: `of` is missing");
  if (group_by.size() > kGroupsMax) {
    return absl::InvalidArgumentError(StrCat("grouped by ", group_by.size(), " fields; at most ", kGroupsMax));
  }
  if (series_max == 0) return absl::InvalidArgumentError("series_max must be positive");
  return absl::OkStatus();
}

void Aggregate::Add(double value, bool wants_distribution) {
  if (std::isnan(value)) return;
  ++values;
  sum += value;
  min = std::min(min, value);
  max = std::max(max, value);
  if (wants_distribution) distribution.Add(value);
}

void Aggregate::Merge(const Aggregate& other) {
  spans += other.spans;
  values += other.values;
  sum += other.sum;
  min = std::min(min, other.min);
  max = std::max(max, other.max);
  distribution.Merge(other.distribution);
}

}  // namespace spanloom::store
