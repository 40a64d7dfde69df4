// SPDX-License-Identifier: Apache-2.0

#include "pipeline/connectors/span_metrics_options.h"

#include <absl/algorithm/container.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace spanloom::pipeline {
namespace {

// The Collector's.
constexpr double kDefaultBoundsMs[] = {2, 4, 6, 8, 10, 50, 100, 200, 400, 800, 1000, 1400, 2000, 5000, 10000, 15000};
constexpr double kMsPerSecond = 1e3;

constexpr std::pair<std::string_view, DurationUnit> kUnits[] = {{"ms", DurationUnit::kMilliseconds},
                                                                {"s", DurationUnit::kSeconds}};
constexpr std::pair<std::string_view, otlp::Temporality> kTemporalities[] = {
    {"AGGREGATION_TEMPORALITY_CUMULATIVE", otlp::Temporality::kCumulative},
    {"AGGREGATION_TEMPORALITY_DELTA", otlp::Temporality::kDelta},
    {"", otlp::Temporality::kCumulative},
};

// An error that names `key` if one of `dimensions` is there twice or by default.
Status CheckDimensions(std::string_view key, const std::vector<DimensionOptions>& dimensions) {
  std::set<std::string_view> names = {"service.name", "span.name", "span.kind", "status.code", "collector.instance.id"};
  for (const DimensionOptions& dimension : dimensions) {
    if (names.insert(dimension.name).second) continue;
    return absl::InvalidArgumentError(StrCat(key, ": duplicate dimension name ", dimension.name));
  }
  return absl::OkStatus();
}

}  // namespace

void DimensionOptions::Declare(config::OptionsReader& r) {
  r.Field("name", name, "An attribute of the span or, if it has none, of its resource.");
  r.Field("default", default_value, "Its value where neither has it, a text; without it the dimension is left out.");
  r.Unsupported("glob", "write each attribute as a dimension of its own, by name");
}

Status DimensionOptions::Validate() const {
  if (name.empty()) return absl::InvalidArgumentError("name must not be empty");
  if (!default_value || DefaultText()) return absl::OkStatus();
  return absl::InvalidArgumentError("default must be a string; write it in quotes");
}

std::optional<std::string> DimensionOptions::DefaultText() const {
  return default_value ? config::ReadString(*default_value) : std::nullopt;
}

void ExplicitBucketsOptions::Declare(config::OptionsReader& r) {
  r.Field("buckets", buckets,
          "Upper bounds, ascending durations; an empty list makes one bucket of all. Without `explicit` 2ms, 4ms, 6ms, "
          "8ms, 10ms, 50ms, 100ms, 200ms, 400ms, 800ms, "
          "1s, 1400ms, 2s, 5s, 10s and 15s.",
          CheckBound);
}

void ExponentialBucketsOptions::Declare(config::OptionsReader& r) {
  r.Field("max_size", max_size, "Most buckets of a series; 0 means 160.",
          {.min = 0, .max = kExponentialSizeMax, .unit = "buckets"});
}

void SpanHistogramOptions::Declare(config::OptionsReader& r) {
  r.Field("disable", disable, "Whether there is no metric `duration`.");
  r.Choice<DurationUnit>("unit", unit, kUnits, "Unit of `duration`.", config::Letters::kAnyCase);
  r.Field("explicit", explicit_buckets, "Buckets with bounds, which is the default.");
  r.Field("exponential", exponential, "Buckets that adapt to what is measured. Not together with explicit.");
  r.Field("dimensions", dimensions, "Further dimensions of `duration` alone.");
}

Status SpanHistogramOptions::Validate() const {
  if (explicit_buckets && exponential) {
    return absl::InvalidArgumentError("use either `explicit` or `exponential` buckets histogram");
  }
  return CheckAscending("explicit::buckets", Shape().bounds);
}

HistogramShape SpanHistogramOptions::Shape() const {
  HistogramShape shape;
  if (exponential) {
    shape.exponential_size_max =
        exponential->max_size == 0 ? kExponentialSizeDefault : static_cast<size_t>(exponential->max_size);
    shape.exponential_size_max = std::max(shape.exponential_size_max, kExponentialSizeMin);
  } else if (explicit_buckets) {
    shape.bounds = BoundsOf(explicit_buckets->buckets, NsPerUnit());
  } else {
    for (const double bound : kDefaultBoundsMs) {
      shape.bounds.push_back(unit == DurationUnit::kSeconds ? bound / kMsPerSecond : bound);
    }
  }
  return shape;
}

void SpanExemplarsOptions::Declare(config::OptionsReader& r) {
  r.Field("enabled", enabled, "Whether points name spans that they count.");
  r.Field("max_per_data_point", max_per_data_point, "How many spans a point names at most.",
          {.min = 0, .max = 1'000, .unit = "spans"});
}

void SpanEventsOptions::Declare(config::OptionsReader& r) {
  r.Field("enabled", enabled, "Whether there is a metric `events`, which counts events of spans.");
  r.Field("dimensions", dimensions,
          "Dimensions of `events` on top of those of spans: attributes of the event; at least one.");
}

void SpanMetricsOptions::Declare(config::OptionsReader& r) {
  r.Field("histogram", histogram, "The metric `duration`.");
  r.Field("dimensions", dimensions,
          "Dimensions of all metrics besides service.name, span.name, span.kind, status.code and "
          "collector.instance.id.");
  r.Field("calls_dimensions", calls_dimensions, "Further dimensions of `calls` alone.");
  r.Field("exclude_dimensions", exclude_dimensions, "Which of the default dimensions are left out.");
  int64_t unused_cache = 0;
  r.Field("dimensions_cache_size", unused_cache,
          "Taken and not used, as by the Collector since 0.130; aggregation_cardinality_limit has its place.");
  r.Field("resource_metrics_cache_size", resource_metrics_cache_size,
          "For how many resources there are series; the one that was silent for longest makes room.",
          {.min = 1, .max = 1'000'000, .unit = "resources"});
  r.Field("resource_metrics_key_attributes", resource_metrics_key_attributes,
          "Which attributes keep resources apart; without it all do.");
  r.Choice<otlp::Temporality>("aggregation_temporality", aggregation_temporality, kTemporalities,
                              "Whether a point counts from the start, or since the point before it.");
  r.Field("namespace", namespace_prefix, "What names of metrics begin with.");
  r.Field("metrics_flush_interval", metrics_flush_interval, "Time between two points of a series.",
          {.min = std::chrono::milliseconds(1)});
  r.Field("metrics_expiration", metrics_expiration, "Silence of a resource after which its series end; 0 means never.");
  r.Field("series_expiration", series_expiration, "Silence of a series after which it ends; 0 means never.");
  r.Field("metric_timestamp_cache_size", metric_timestamp_cache_size,
          "Of how many silent series of a resource the last time is known, where points count since the one before; 0 "
          "means 1000.",
          {.min = 0, .max = 1'000'000, .unit = "series"});
  r.Field("exemplars", exemplars, "Spans that points name.");
  r.Field("events", events, "The metric `events`.");
  r.Field("include_instrumentation_scope", include_instrumentation_scope,
          "Names of scopes whose name and version are dimensions of their spans.");
  r.Field("aggregation_cardinality_limit", aggregation_cardinality_limit,
          "How many series of a metric a resource may have; what comes with a further one is counted in one with "
          "otel.metric.overflow=true. 0 means no limit but 500000 in all.",
          {.min = 0, .max = 500'000, .unit = "series"});
  bool unused_attributes = false;
  r.Field("add_resource_attributes", unused_attributes,
          "Taken and not used: metrics always have the attributes of the resource, as by default in the Collector.");
  r.Field("enable_metrics_sampling_method", enable_metrics_sampling_method,
          "Whether sampling.method is a dimension: extrapolated for spans whose tracestate says how many they stand "
          "for, else counted.");
}

Status SpanMetricsOptions::Validate() const {
  RETURN_IF_ERROR(CheckDimensions("dimensions", dimensions));
  RETURN_IF_ERROR(CheckDimensions("calls_dimensions", calls_dimensions));
  RETURN_IF_ERROR(CheckDimensions("histogram", histogram.dimensions));
  if (!events.enabled) return absl::OkStatus();
  if (events.dimensions.empty()) return absl::InvalidArgumentError("events: no dimensions configured for events");
  return CheckDimensions("events", events.dimensions);
}

bool SpanMetricsOptions::Has(std::string_view default_dimension) const {
  return !absl::c_linear_search(exclude_dimensions, default_dimension);
}

std::string SpanMetricsOptions::MetricName(std::string_view name) const {
  return namespace_prefix.empty() ? std::string(name) : StrCat(namespace_prefix, ".", name);
}

}  // namespace spanloom::pipeline
