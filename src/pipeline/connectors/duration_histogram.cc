// SPDX-License-Identifier: Apache-2.0

#include "pipeline/connectors/duration_histogram.h"

#include <absl/strings/numbers.h>

#include <algorithm>
#include <functional>

#include "base/text.h"
#include "config/duration.h"

namespace spanloom::pipeline {
namespace {

std::optional<int64_t> BoundNs(const std::string& text) {
  if (const auto duration = config::ParseDuration(text)) return duration->count();
  int64_t ns = 0;
  if (absl::SimpleAtoi(text, &ns)) return ns;
  return std::nullopt;
}

}  // namespace

Status CheckBound(const std::string& text) {
  if (BoundNs(text)) return absl::OkStatus();
  return absl::InvalidArgumentError(StrCat("expected a duration such as 100ms, got \"", text, "\""));
}

std::vector<double> BoundsOf(const std::vector<std::string>& texts, double ns_per_unit) {
  std::vector<double> bounds;
  for (const std::string& text : texts) bounds.push_back(static_cast<double>(BoundNs(text).value_or(0)) / ns_per_unit);
  return bounds;
}

Status CheckAscending(std::string_view key, const std::vector<double>& bounds) {
  if (std::adjacent_find(bounds.begin(), bounds.end(), std::greater_equal<>()) == bounds.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(StrCat(key, ": must be ascending"));
}

DurationHistogram::DurationHistogram(const HistogramShape& shape) {
  if (shape.exponential_size_max == 0) {
    buckets_.resize(shape.bounds.size() + 1);
  } else {
    exponential_.emplace(shape.exponential_size_max);
  }
}

void DurationHistogram::Add(const HistogramShape& shape, double value, uint64_t times) {
  value = std::max(value, 0.0);
  if (exponential_) return exponential_->Add(value, times);
  count_ += times;
  sum_ += value * static_cast<double>(times);
  const auto bound = std::lower_bound(shape.bounds.begin(), shape.bounds.end(), value);
  buckets_[static_cast<size_t>(bound - shape.bounds.begin())] += times;
}

void DurationHistogram::Write(const HistogramShape& shape, const otlp::PointTimes& times,
                              otlp::MetricsWriter::WriteAttributes attributes, otlp::MetricsWriter::Exemplars exemplars,
                              otlp::MetricsWriter& writer) const {
  if (exponential_) return writer.AddExponential(times, exponential_->fields(), attributes, exemplars);
  writer.AddHistogram(times, {.count = count_, .sum = sum_, .bounds = shape.bounds, .bucket_counts = buckets_},
                      attributes, exemplars);
}

}  // namespace spanloom::pipeline
