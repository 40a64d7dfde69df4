// SPDX-License-Identifier: Apache-2.0
//
// The series of one metric of one resource, by the values of their dimensions.

#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/functional/function_ref.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "otlp/metrics_writer.h"
#include "pipeline/connectors/duration_histogram.h"

namespace spanloom::pipeline {

struct Series {
  std::string attributes = {};  // KeyValues, each a field 1
  uint64_t start_unix_ns = 0;   // since when it counts
  int64_t last_seen_ns = 0;     // of the steady clock
  uint64_t count = 0;
  bool is_new = true;      // no point has been made of it
  bool is_active = false;  // it has counted something since it was reset
  std::optional<DurationHistogram> histogram = {};
  std::vector<otlp::ExemplarFields> exemplars = {};  // since the last point

  void WriteAttributes(otlp::AttributeWriter& writer) const;
};

// What the tables of one connector have in common. `total` is thread-safe.
struct SeriesLimits {
  size_t active_max = 0;       // of a table; 0: none
  size_t total_max = 500'000;  // of all tables, some 700 bytes each with 17 buckets; guess
  std::atomic<size_t> total = 0;
};

// Thread-compatible.
class SeriesTable {
 public:
  // `limits` outlives the table.
  explicit SeriesTable(SeriesLimits& limits) : limits_(limits) {}
  ~SeriesTable() { limits_.total -= series_.size(); }
  SeriesTable(const SeriesTable&) = delete;
  SeriesTable& operator=(const SeriesTable&) = delete;

  // The series of `key`, active. If it is the first of it, `make` makes it; if there are as many as there may be, it is
  // the one with otel.metric.overflow=true instead. The reference holds until the next EraseIf.
  Series& Find(std::string_view key, absl::FunctionRef<Series()> make, absl::FunctionRef<Series()> make_overflow);

  // In order of their making; stable but for EraseIf.
  [[nodiscard]] size_t size() const { return series_.size(); }
  [[nodiscard]] Series& at(size_t index) { return *series_[index]; }

  // Begins a new count: nothing more is active.
  void Reset(const HistogramShape* shape, Series& series, uint64_t now_unix_ns);
  void EraseIf(absl::FunctionRef<bool(const Series&)> drop);

 private:
  Series& Activate(Series& series);
  Series& Insert(std::string_view key, Series series);

  SeriesLimits& limits_;
  absl::flat_hash_map<std::string, std::unique_ptr<Series>> by_key_;
  std::vector<Series*> series_;
  size_t active_ = 0;  // the one that overflows not counted
};

}  // namespace spanloom::pipeline
