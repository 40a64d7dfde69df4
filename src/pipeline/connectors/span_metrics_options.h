// SPDX-License-Identifier: Apache-2.0
//
// The options of the span_metrics connector, with the keys and defaults of the Collector's.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/node.h"
#include "config/options.h"
#include "otlp/metrics_views.h"
#include "pipeline/connectors/duration_histogram.h"

namespace spanloom::pipeline {

// An attribute whose values keep series apart.
struct DimensionOptions {
  std::string name = {};
  std::optional<config::Node> default_value = {};  // a text; unset: what has no such attribute has no such dimension
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
  [[nodiscard]] std::optional<std::string> DefaultText() const;
};

struct ExplicitBucketsOptions {
  std::vector<std::string> buckets = {};  // durations, ascending
  void Declare(config::OptionsReader& r);
};

struct ExponentialBucketsOptions {
  int64_t max_size = kExponentialSizeDefault;
  void Declare(config::OptionsReader& r);
};

enum class DurationUnit : uint8_t { kMilliseconds, kSeconds };

struct SpanHistogramOptions {
  bool disable = false;
  DurationUnit unit = DurationUnit::kMilliseconds;
  std::optional<ExplicitBucketsOptions> explicit_buckets = {};
  std::optional<ExponentialBucketsOptions> exponential = {};
  std::vector<DimensionOptions> dimensions = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;

  [[nodiscard]] HistogramShape Shape() const;
  [[nodiscard]] double NsPerUnit() const { return unit == DurationUnit::kSeconds ? 1e9 : 1e6; }
  [[nodiscard]] std::string_view UnitText() const { return unit == DurationUnit::kSeconds ? "s" : "ms"; }
};

struct SpanExemplarsOptions {
  bool enabled = false;
  int64_t max_per_data_point = 5;
  void Declare(config::OptionsReader& r);
};

struct SpanEventsOptions {
  bool enabled = false;
  std::vector<DimensionOptions> dimensions = {};
  void Declare(config::OptionsReader& r);
};

struct SpanMetricsOptions {
  SpanHistogramOptions histogram = {};
  std::vector<DimensionOptions> dimensions = {};
  std::vector<DimensionOptions> calls_dimensions = {};
  std::vector<std::string> exclude_dimensions = {};
  std::vector<std::string> include_instrumentation_scope = {};
  int64_t resource_metrics_cache_size = 1'000;
  std::vector<std::string> resource_metrics_key_attributes = {};
  otlp::Temporality aggregation_temporality = otlp::Temporality::kCumulative;
  std::string namespace_prefix = "traces.span.metrics";
  std::chrono::nanoseconds metrics_flush_interval = std::chrono::seconds(60);
  std::chrono::nanoseconds metrics_expiration{0};  // 0: never
  std::chrono::nanoseconds series_expiration{0};   // 0: never
  int64_t metric_timestamp_cache_size = 1'000;     // 0: the default
  SpanExemplarsOptions exemplars = {};
  SpanEventsOptions events = {};
  int64_t aggregation_cardinality_limit = 0;  // 0: none of the user's
  bool enable_metrics_sampling_method = false;
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;

  [[nodiscard]] size_t IdleSeriesMax() const {
    return static_cast<size_t>(metric_timestamp_cache_size == 0 ? 1'000 : metric_timestamp_cache_size);
  }

  // Whether a dimension that all series have by default is one.
  [[nodiscard]] bool Has(std::string_view default_dimension) const;
  // "traces.span.metrics.calls".
  [[nodiscard]] std::string MetricName(std::string_view name) const;
};

}  // namespace spanloom::pipeline
