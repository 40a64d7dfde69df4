// SPDX-License-Identifier: Apache-2.0
//
// The last value of every series that came, as the page that Prometheus scrapes. Formats: Prometheus' text 0.0.4 and
// OpenMetrics 1.0.

#pragma once

#include <absl/base/thread_annotations.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "otlp/metrics_views.h"
#include "pipeline/exporters/prometheus_names.h"

namespace spanloom::pipeline {

struct PrometheusPageOptions {
  std::string prefix = {};                                       // of names
  std::vector<std::pair<std::string, std::string>> labels = {};  // of every series
  bool has_suffixes = true;
  bool has_timestamps = false;
  bool has_scope = true;
  bool has_resource = false;                                      // its attributes are labels
  bool has_service_attributes = true;                             // service.* among those
  std::chrono::nanoseconds expiration = std::chrono::minutes(5);  // of a series that is silent
  size_t series_max = 1'000'000;                                  // some 500 bytes each; guess
};

// Thread-safe.
class PrometheusPage {
 public:
  // `clock` outlives the page.
  PrometheusPage(PrometheusPageOptions options, const Clock& clock);

  // Points that were not taken, by cause.
  struct Refused {
    size_t unsupported = 0;  // a sum that counts by intervals and may fall, or does not say what it counts
    size_t conflicting = 0;  // of another type than others of the name
    size_t too_many = 0;     // beyond series_max
  };
  Refused Add(const otlp::MetricsView& metrics) ABSL_LOCKS_EXCLUDED(mutex_);

  // Families by name, series by labels; without those that have expired.
  [[nodiscard]] std::string Render(bool as_open_metrics) ABSL_LOCKS_EXCLUDED(mutex_);

  [[nodiscard]] size_t series_count() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Exemplar {
    double value = 0;
    uint64_t time_unix_ns = 0;
    std::string labels;  // as they stand between braces
  };
  // One series; what of it is used depends on the type of its family.
  struct Sample {
    otlp::PointTimes times = {};
    int64_t updated_ns = 0;
    double value = 0;
    uint64_t count = 0;
    double sum = 0;
    std::vector<double> bounds = {};
    std::vector<uint64_t> buckets = {};                     // [bounds + 1]
    std::vector<std::pair<double, double>> quantiles = {};  // quantile, value
    std::vector<Exemplar> exemplars = {};
  };
  struct Family {
    std::string_view type;  // "counter"
    std::string help;
    std::map<std::string, Sample> samples;  // by labels, as they stand between braces
  };
  using Labels = std::map<std::string, std::string>;
  class Intake;
  class Printer;

  void Expire(int64_t now_ns) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const PrometheusPageOptions options_;
  const Clock& clock_;

  mutable Mutex mutex_;
  std::map<std::string, Family> families_ ABSL_GUARDED_BY(mutex_);  // none is empty
  size_t series_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace spanloom::pipeline
