// SPDX-License-Identifier: Apache-2.0
//
// Sums by group and time step: the engine of Aggregate() and of groups of rows.

#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "store/aggregate.h"
#include "store/time_range.h"
#include "store/value.h"

namespace spanloom::store::scan {

struct SeriesTableOptions {
  TimeRange starts = {};
  uint64_t step_ns = 0;
  bool has_of = false;
  bool wants_distribution = false;
  size_t series_max = 10'000;
  size_t exemplars_max = 0;
  size_t bytes_max = 256U << 20;  // of all series
};

// Thread-compatible.
class SeriesTable {
 public:
  explicit SeriesTable(const SeriesTableOptions& options);

  // One span or row of the group, with the numbers of `of`. It must start within `starts`. Errors: kResourceExhausted,
  // if there are more than series_max groups, or they take more than bytes_max.
  Status Add(std::span<const Cell> group, uint64_t start_unix_ns, std::span<const double> numbers,
             const otlp::TraceId& trace_id, const otlp::SpanId& span_id);

  // Sorted by group.
  [[nodiscard]] AggregateAnswer Take() &&;

 private:
  // An exemplar with what decides whether it stays: those with the least draws of each slot do. So the choice is spread
  // over the steps, fair, and the same in whichever order the spans come.
  struct Drawn {
    uint64_t draw = 0;
    Exemplar exemplar;
  };
  struct Series {
    AggregateSeries answer;
    std::vector<std::vector<Drawn>> slots;  // [slots_], each a heap with the largest draw first
  };

  StatusOr<Series*> FindOrAdd(std::span<const Cell> group);
  [[nodiscard]] Status TooLarge() const;
  [[nodiscard]] size_t StepOf(uint64_t start_unix_ns) const;
  void AddExemplar(const Exemplar& exemplar, size_t step, Series& series) const;
  static void EncodeKey(std::span<const Cell> group, std::string& key);

  const SeriesTableOptions options_;
  const size_t steps_;
  const size_t slots_;  // of exemplars
  absl::flat_hash_map<std::string, Series> series_;
  std::string key_;  // reused
  size_t bytes_ = 0;
};

}  // namespace spanloom::store::scan
