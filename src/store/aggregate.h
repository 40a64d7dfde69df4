// SPDX-License-Identifier: Apache-2.0
//
// Numbers over many spans: counts, sums and distributions of a field, by group and time step. One plan serves TraceQL's
// metrics, RED metrics of services and percentiles: what is returned can be merged, and what is asked is worked out
// from it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "base/quantile_sketch.h"
#include "base/status.h"
#include "otlp/ids.h"
#include "store/field.h"
#include "store/predicate.h"
#include "store/read_limits.h"
#include "store/time_range.h"
#include "store/value.h"

namespace spanloom::store {

// How many steps of `step_ns` there are in `starts`; 1 if `step_ns` is 0.
[[nodiscard]] uint64_t StepsOf(const TimeRange& starts, uint64_t step_ns);

struct AggregatePlan {
  static constexpr size_t kGroupsMax = 5;  // TraceQL's limit of keys in by()

  Predicate where = {};
  TimeRange starts = {};
  uint64_t step_ns = 0;          // 0: one step, the whole range. Else `starts` must be bounded, and at most kStepsMax
  std::optional<Field> of = {};  // its numbers (kInt, kDouble) are summed up; spans without one only count
  bool wants_distribution = false;   // Aggregate::distribution; needs `of`
  std::vector<Field> group_by = {};  // first values; a span without the field is in the group kNone. At most kGroupsMax
  size_t series_max = 10'000;        // groups; what is beyond is refused, not cut; guess
  size_t exemplars_max = 0;          // of each series, over all steps; of spans with a number, if there is an `of`
  ReadLimits limits = {};

  static constexpr size_t kStepsMax = 11'000;  // Prometheus' limit of points in a range query

  // kInvalidArgument says which of the rules above is broken.
  [[nodiscard]] Status Validate() const;
  // How many steps `starts` has: the first begins at starts.begin_unix_ns, the last may be cut short.
  [[nodiscard]] size_t steps() const { return static_cast<size_t>(StepsOf(starts, step_ns)); }
};

// kInvalidArgument if `starts` has no end or too many steps.
[[nodiscard]] Status ValidateSteps(const TimeRange& starts, uint64_t step_ns);

// A sum over spans. Merging is associative and commutative (but for the rounding of `sum`).
struct Aggregate {
  uint64_t spans = 0;   // that met the predicate
  uint64_t values = 0;  // numbers of `of`, all of a field that has several; NaN is left out
  double sum = 0;       // of them
  double min = std::numeric_limits<double>::infinity();
  double max = -std::numeric_limits<double>::infinity();
  QuantileSketch distribution;  // of them; empty unless wanted

  void Add(double value, bool wants_distribution);
  void Merge(const Aggregate& other);

  friend bool operator==(const Aggregate&, const Aggregate&) = default;
};

struct Exemplar {
  otlp::TraceId trace_id;
  otlp::SpanId span_id;
  uint64_t start_unix_ns = 0;
  double value = 0;  // the first number of `of`; 1 if there is no `of`

  friend bool operator==(const Exemplar&, const Exemplar&) = default;
};

struct AggregateSeries {
  std::vector<Value> group;         // [plan.group_by]
  std::vector<Aggregate> steps;     // [plan.steps()]
  std::vector<Exemplar> exemplars;  // by start; spread over the steps

  friend bool operator==(const AggregateSeries&, const AggregateSeries&) = default;
};

// Sorted by group.
using AggregateAnswer = std::vector<AggregateSeries>;

}  // namespace spanloom::store
