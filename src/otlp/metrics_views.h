// SPDX-License-Identifier: Apache-2.0
//
// Metrics as views over the bytes they arrived in, as views.h has spans: they borrow, cannot fail, and skip what they
// do not know. Messages: opentelemetry/proto/metrics/v1, OTLP 1.x. Scalar fields are read once, at construction.

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "otlp/fields.h"
#include "otlp/ids.h"
#include "otlp/views.h"

namespace spanloom::otlp {

enum class Temporality : uint8_t { kUnspecified, kDelta, kCumulative };  // AggregationTemporality

enum class MetricKind : uint8_t { kNone, kGauge, kSum, kHistogram, kExponentialHistogram, kSummary };

inline constexpr uint32_t kNoRecordedValue = 1;  // of a point's flags: the series has ended

// Exemplar.
class ExemplarView {
 public:
  explicit ExemplarView(std::string_view wire);
  [[nodiscard]] uint64_t time_unix_ns() const { return time_unix_ns_; }
  [[nodiscard]] double value() const { return value_; }
  [[nodiscard]] const TraceId& trace_id() const { return trace_id_; }
  [[nodiscard]] const SpanId& span_id() const { return span_id_; }
  [[nodiscard]] std::string_view wire() const { return wire_; }

 private:
  std::string_view wire_;
  uint64_t time_unix_ns_ = 0;
  double value_ = 0;
  TraceId trace_id_;
  SpanId span_id_;
};

// What all points say.
struct PointTimes {
  uint64_t start_unix_ns = 0;  // 0: not said
  uint64_t time_unix_ns = 0;
  uint32_t flags = 0;
};

// NumberDataPoint.
class NumberPointView {
 public:
  explicit NumberPointView(std::string_view wire);
  [[nodiscard]] const PointTimes& times() const { return times_; }
  [[nodiscard]] bool is_int() const { return is_int_; }
  [[nodiscard]] int64_t int_value() const { return int_value_; }  // if is_int()
  // The value of either kind.
  [[nodiscard]] double value() const { return is_int_ ? static_cast<double>(int_value_) : double_value_; }
  [[nodiscard]] RepeatedView<AttributeView, field::NumberDataPoint::kAttributes> attributes() const {
    return RepeatedView<AttributeView, field::NumberDataPoint::kAttributes>(wire_);
  }
  [[nodiscard]] RepeatedView<ExemplarView, field::NumberDataPoint::kExemplars> exemplars() const {
    return RepeatedView<ExemplarView, field::NumberDataPoint::kExemplars>(wire_);
  }
  [[nodiscard]] std::string_view wire() const { return wire_; }

 private:
  std::string_view wire_;
  PointTimes times_;
  double double_value_ = 0;
  int64_t int_value_ = 0;
  bool is_int_ = false;
};

// HistogramDataPoint.
class HistogramPointView {
 public:
  explicit HistogramPointView(std::string_view wire);
  [[nodiscard]] const PointTimes& times() const { return times_; }
  [[nodiscard]] uint64_t count() const { return count_; }
  [[nodiscard]] double sum() const { return sum_; }  // 0 if it is not said
  // [bounds + 1], or empty.
  [[nodiscard]] std::vector<uint64_t> bucket_counts() const;
  [[nodiscard]] std::vector<double> bounds() const;
  [[nodiscard]] RepeatedView<AttributeView, field::HistogramDataPoint::kAttributes> attributes() const {
    return RepeatedView<AttributeView, field::HistogramDataPoint::kAttributes>(wire_);
  }
  [[nodiscard]] RepeatedView<ExemplarView, field::HistogramDataPoint::kExemplars> exemplars() const {
    return RepeatedView<ExemplarView, field::HistogramDataPoint::kExemplars>(wire_);
  }
  [[nodiscard]] std::string_view wire() const { return wire_; }

 private:
  std::string_view wire_;
  PointTimes times_;
  uint64_t count_ = 0;
  double sum_ = 0;
};

// ExponentialHistogramDataPoint.Buckets: bucket i counts what is in (base^(offset+i), base^(offset+i+1)].
struct ExponentialBuckets {
  int32_t offset = 0;
  std::vector<uint64_t> counts = {};
  friend bool operator==(const ExponentialBuckets&, const ExponentialBuckets&) = default;
};

// ExponentialHistogramDataPoint. base = 2^(2^-scale).
class ExponentialPointView {
 public:
  explicit ExponentialPointView(std::string_view wire);
  [[nodiscard]] const PointTimes& times() const { return times_; }
  [[nodiscard]] uint64_t count() const { return count_; }
  [[nodiscard]] double sum() const { return sum_; }
  [[nodiscard]] int32_t scale() const { return scale_; }
  [[nodiscard]] uint64_t zero_count() const { return zero_count_; }
  [[nodiscard]] double zero_threshold() const { return zero_threshold_; }
  [[nodiscard]] ExponentialBuckets positive() const;
  [[nodiscard]] ExponentialBuckets negative() const;
  [[nodiscard]] RepeatedView<AttributeView, field::ExponentialHistogramDataPoint::kAttributes> attributes() const {
    return RepeatedView<AttributeView, field::ExponentialHistogramDataPoint::kAttributes>(wire_);
  }
  [[nodiscard]] RepeatedView<ExemplarView, field::ExponentialHistogramDataPoint::kExemplars> exemplars() const {
    return RepeatedView<ExemplarView, field::ExponentialHistogramDataPoint::kExemplars>(wire_);
  }
  [[nodiscard]] std::string_view wire() const { return wire_; }

 private:
  std::string_view wire_;
  PointTimes times_;
  uint64_t count_ = 0;
  double sum_ = 0;
  int32_t scale_ = 0;
  uint64_t zero_count_ = 0;
  double zero_threshold_ = 0;
};

// SummaryDataPoint.ValueAtQuantile.
class QuantileView {
 public:
  explicit QuantileView(std::string_view wire);
  [[nodiscard]] double quantile() const { return quantile_; }  // [0, 1]
  [[nodiscard]] double value() const { return value_; }

 private:
  double quantile_ = 0;
  double value_ = 0;
};

// SummaryDataPoint.
class SummaryPointView {
 public:
  explicit SummaryPointView(std::string_view wire);
  [[nodiscard]] const PointTimes& times() const { return times_; }
  [[nodiscard]] uint64_t count() const { return count_; }
  [[nodiscard]] double sum() const { return sum_; }
  [[nodiscard]] RepeatedView<QuantileView, field::SummaryDataPoint::kQuantileValues> quantiles() const {
    return RepeatedView<QuantileView, field::SummaryDataPoint::kQuantileValues>(wire_);
  }
  [[nodiscard]] RepeatedView<AttributeView, field::SummaryDataPoint::kAttributes> attributes() const {
    return RepeatedView<AttributeView, field::SummaryDataPoint::kAttributes>(wire_);
  }
  [[nodiscard]] std::string_view wire() const { return wire_; }

 private:
  std::string_view wire_;
  PointTimes times_;
  uint64_t count_ = 0;
  double sum_ = 0;
};

// Metric. Its points are of one kind.
class MetricView {
 public:
  explicit MetricView(std::string_view wire);
  [[nodiscard]] std::string_view name() const { return name_; }
  [[nodiscard]] std::string_view description() const { return description_; }
  [[nodiscard]] std::string_view unit() const { return unit_; }
  [[nodiscard]] MetricKind kind() const { return kind_; }
  [[nodiscard]] Temporality temporality() const { return temporality_; }  // of sums and histograms
  [[nodiscard]] bool is_monotonic() const { return is_monotonic_; }       // of sums
  // Each is meaningful for its own kinds only.
  [[nodiscard]] auto number_points() const { return Points<NumberPointView>(); }
  [[nodiscard]] auto histogram_points() const { return Points<HistogramPointView>(); }
  [[nodiscard]] auto exponential_points() const { return Points<ExponentialPointView>(); }
  [[nodiscard]] auto summary_points() const { return Points<SummaryPointView>(); }
  [[nodiscard]] RepeatedView<AttributeView, field::Metric::kMetadata> metadata() const {
    return RepeatedView<AttributeView, field::Metric::kMetadata>(wire_);
  }
  [[nodiscard]] std::string_view wire() const { return wire_; }

 private:
  template <typename View>
  [[nodiscard]] RepeatedView<View, field::MetricData::kDataPoints> Points() const {
    return RepeatedView<View, field::MetricData::kDataPoints>(data_);
  }

  std::string_view wire_;
  std::string_view name_;
  std::string_view description_;
  std::string_view unit_;
  std::string_view data_;  // the message with the points
  MetricKind kind_ = MetricKind::kNone;
  Temporality temporality_ = Temporality::kUnspecified;
  bool is_monotonic_ = false;
};

// ScopeMetrics; the frame is that of ScopeSpans.
class ScopeMetricsView {
 public:
  explicit ScopeMetricsView(std::string_view wire) : wire_(wire) {}
  [[nodiscard]] ScopeView scope() const { return ScopeSpansView(wire_).scope(); }
  [[nodiscard]] std::string_view schema_url() const { return ScopeSpansView(wire_).schema_url(); }
  [[nodiscard]] RepeatedView<MetricView, field::ScopeSpans::kSpans> metrics() const {
    return RepeatedView<MetricView, field::ScopeSpans::kSpans>(wire_);
  }

 private:
  std::string_view wire_;
};

// ResourceMetrics; the frame is that of ResourceSpans.
class ResourceMetricsView {
 public:
  explicit ResourceMetricsView(std::string_view wire) : wire_(wire) {}
  [[nodiscard]] ResourceView resource() const { return ResourceSpansView(wire_).resource(); }
  [[nodiscard]] RepeatedView<ScopeMetricsView, field::ResourceSpans::kScopeSpans> scope_metrics() const {
    return RepeatedView<ScopeMetricsView, field::ResourceSpans::kScopeSpans>(wire_);
  }

 private:
  std::string_view wire_;
};

// ExportMetricsServiceRequest, MetricsData.
class MetricsView {
 public:
  explicit MetricsView(std::string_view wire) : wire_(wire) {}
  [[nodiscard]] RepeatedView<ResourceMetricsView, field::Request::kResourceSpans> resource_metrics() const {
    return RepeatedView<ResourceMetricsView, field::Request::kResourceSpans>(wire_);
  }

 private:
  std::string_view wire_;
};

}  // namespace spanloom::otlp
