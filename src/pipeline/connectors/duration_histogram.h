// SPDX-License-Identifier: Apache-2.0
//
// How often something took how long, in either of OTLP's forms: with bounds that are given, or exponential.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "otlp/metrics_writer.h"
#include "pipeline/connectors/exponential_histogram.h"

namespace spanloom::pipeline {

struct HistogramShape {
  std::vector<double> bounds = {};  // ascending; not used if it is exponential
  size_t exponential_size_max = 0;  // buckets; 0: it has bounds

  [[nodiscard]] otlp::MetricKind kind() const {
    return exponential_size_max == 0 ? otlp::MetricKind::kHistogram : otlp::MetricKind::kExponentialHistogram;
  }
};

// A bound in the configuration: a duration in Go syntax, or a bare integer of nanoseconds. kInvalidArgument if it is
// neither.
[[nodiscard]] Status CheckBound(const std::string& text);
// All of them, which have passed CheckBound, in units of `ns_per_unit`.
[[nodiscard]] std::vector<double> BoundsOf(const std::vector<std::string>& texts, double ns_per_unit);
// kInvalidArgument, which begins with `key`, unless each is above the one before.
[[nodiscard]] Status CheckAscending(std::string_view key, const std::vector<double>& bounds);

// Thread-compatible. `shape` is the same in all calls, and kept by the caller: there are many of these.
class DurationHistogram {
 public:
  explicit DurationHistogram(const HistogramShape& shape);

  // A value, `times` times; a negative one counts as 0.
  void Add(const HistogramShape& shape, double value, uint64_t times);
  // As it was made.
  void Reset(const HistogramShape& shape) { *this = DurationHistogram(shape); }

  // A point of a metric of the shape's kind.
  void Write(const HistogramShape& shape, const otlp::PointTimes& times,
             otlp::MetricsWriter::WriteAttributes attributes, otlp::MetricsWriter::Exemplars exemplars,
             otlp::MetricsWriter& writer) const;

 private:
  uint64_t count_ = 0;
  double sum_ = 0;
  std::vector<uint64_t> buckets_;  // [bounds + 1]
  std::optional<ExponentialHistogram> exponential_;
};

}  // namespace spanloom::pipeline
