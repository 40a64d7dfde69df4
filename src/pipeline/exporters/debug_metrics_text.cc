// SPDX-License-Identifier: Apache-2.0

#include <array>
#include <cmath>
#include <cstddef>

#include "otlp/fields.h"
#include "otlp/metrics_views.h"
#include "pipeline/exporters/debug_text_parts.h"

namespace spanloom::pipeline {
namespace {

using otlp::MetricKind;
using otlp::MetricView;
namespace field = otlp::field;

constexpr std::array<std::string_view, 6> kKinds = {"Empty",  "Gauge", "Sum", "Histogram", "ExponentialHistogram",
                                                    "Summary"};
constexpr std::array<std::string_view, 3> kTemporalities = {"Unspecified", "Delta", "Cumulative"};

// Which of an AsInt and an AsDouble was sent last, as `fixed` or with the fewest digits; "" for neither.
template <typename Field>
std::string NumberText(std::string_view wire, bool is_fixed) {
  const WireField number = FieldOf(wire, Field::kAsDouble);
  const WireField whole = FieldOf(wire, Field::kAsInt);
  const bool is_whole = whole.is_there && (!number.is_there || otlp::NumberPointView(wire).is_int());
  if (is_whole) return StrCat(static_cast<int64_t>(whole.scalar));
  if (!number.is_there) return {};
  return is_fixed ? FixedText(number.number()) : GeneralText(number.number());
}

template <typename Exemplars>
void ExemplarLines(const Exemplars& exemplars, std::string& out) {
  size_t index = 0;
  for (const otlp::ExemplarView exemplar : exemplars) {
    if (index == 0) Line(out, "Exemplars:");
    Line(out, "Exemplar #", index++);
    Line(out, "     -> Trace ID: ", IdText(exemplar.trace_id()));
    Line(out, "     -> Span ID: ", IdText(exemplar.span_id()));
    Line(out, "     -> Timestamp: ", TimeText(exemplar.time_unix_ns()));
    const std::string value = NumberText<field::Exemplar>(exemplar.wire(), true);
    if (!value.empty()) Line(out, "     -> Value: ", value);
    AttributeLines("     -> FilteredAttributes", "     ",
                   otlp::RepeatedView<otlp::AttributeView, field::Exemplar::kFilteredAttributes>(exemplar.wire()), out);
  }
}

template <typename Point>
void PointHead(std::string_view title, size_t index, const Point& point, std::string& out) {
  Line(out, title, " #", index);
  AttributeLines("Data point attributes", "", point.attributes(), out);
  Line(out, "StartTimestamp: ", TimeText(point.times().start_unix_ns));
  Line(out, "Timestamp: ", TimeText(point.times().time_unix_ns));
}

void DetailedPoint(const otlp::NumberPointView& point, size_t index, std::string& out) {
  PointHead("NumberDataPoints", index, point, out);
  const std::string value = NumberText<field::NumberDataPoint>(point.wire(), true);
  if (!value.empty()) Line(out, "Value: ", value);
  ExemplarLines(point.exemplars(), out);
}

// Sum, Min and Max, of which each may be missing.
template <typename Field>
void DetailedBounds(std::string_view point, std::string& out) {
  const auto append = [&](std::string_view name, uint32_t number) {
    const WireField value = FieldOf(point, number);
    if (value.is_there) Line(out, name, ": ", FixedText(value.number()));
  };
  append("Sum", Field::kSum);
  append("Min", Field::kMin);
  append("Max", Field::kMax);
}

void DetailedPoint(const otlp::HistogramPointView& point, size_t index, std::string& out) {
  PointHead("HistogramDataPoints", index, point, out);
  Line(out, "Count: ", point.count());
  DetailedBounds<field::HistogramDataPoint>(point.wire(), out);
  size_t i = 0;
  for (const double bound : point.bounds()) Line(out, "ExplicitBounds #", i++, ": ", FixedText(bound));
  i = 0;
  for (const uint64_t count : point.bucket_counts()) Line(out, "Buckets #", i++, ", Count: ", count);
  ExemplarLines(point.exemplars(), out);
}

// The lower end of bucket `index` of an exponential histogram.
double BucketEnd(double index, int32_t scale) {
  return std::exp(index * std::ldexp(M_LN2, -scale));
}

void DetailedPoint(const otlp::ExponentialPointView& point, size_t index, std::string& out) {
  PointHead("ExponentialHistogramDataPoints", index, point, out);
  Line(out, "Count: ", point.count());
  DetailedBounds<field::ExponentialHistogramDataPoint>(point.wire(), out);
  const otlp::ExponentialBuckets negative = point.negative();
  for (size_t i = negative.counts.size(); i-- > 0;) {
    const double bucket = static_cast<double>(negative.offset) + static_cast<double>(i);
    Line(out, "Bucket [", FixedText(-BucketEnd(bucket + 1, point.scale())), ", ",
         FixedText(-BucketEnd(bucket, point.scale())), "), Count: ", negative.counts[i]);
  }
  if (point.zero_count() != 0) Line(out, "Bucket [0, 0], Count: ", point.zero_count());
  const otlp::ExponentialBuckets positive = point.positive();
  for (size_t i = 0; i < positive.counts.size(); ++i) {
    const double bucket = static_cast<double>(positive.offset) + static_cast<double>(i);
    Line(out, "Bucket (", FixedText(BucketEnd(bucket, point.scale())), ", ",
         FixedText(BucketEnd(bucket + 1, point.scale())), "], Count: ", positive.counts[i]);
  }
  ExemplarLines(point.exemplars(), out);
}

void DetailedPoint(const otlp::SummaryPointView& point, size_t index, std::string& out) {
  PointHead("SummaryDataPoints", index, point, out);
  Line(out, "Count: ", point.count());
  Line(out, "Sum: ", FixedText(point.sum()));
  size_t i = 0;
  for (const otlp::QuantileView quantile : point.quantiles()) {
    Line(out, "QuantileValue #", i++, ": Quantile ", FixedText(quantile.quantile()), ", Value ",
         FixedText(quantile.value()));
  }
}

std::string NormalPoint(const otlp::NumberPointView& point) {
  return NumberText<field::NumberDataPoint>(point.wire(), false);
}

// "count=3 sum=1 min=0 max=1".
template <typename Field, typename Point>
std::string NormalCounts(const Point& point) {
  std::string text = StrCat("count=", point.count());
  const auto append = [&](std::string_view name, uint32_t number) {
    const WireField value = FieldOf(point.wire(), number);
    if (value.is_there) StrAppend(text, " ", name, "=", GeneralText(value.number()));
  };
  append("sum", Field::kSum);
  append("min", Field::kMin);
  append("max", Field::kMax);
  return text;
}

std::string NormalPoint(const otlp::HistogramPointView& point) {
  std::string text = NormalCounts<field::HistogramDataPoint>(point);
  const std::vector<double> bounds = point.bounds();
  const std::vector<uint64_t> counts = point.bucket_counts();
  for (size_t i = 0; i < counts.size(); ++i) {
    text += ' ';
    if (i < bounds.size()) StrAppend(text, "le", GeneralText(bounds[i]), "=");
    StrAppend(text, counts[i]);
  }
  return text;
}

std::string NormalPoint(const otlp::ExponentialPointView& point) {
  std::string text = NormalCounts<field::ExponentialHistogramDataPoint>(point);
  const otlp::ExponentialBuckets negative = point.negative();
  for (size_t i = negative.counts.size(); i-- > 0;) {
    const double bucket = static_cast<double>(negative.offset) + static_cast<double>(i);
    StrAppend(text, " le", GeneralText(-BucketEnd(bucket, point.scale())), "=", negative.counts[i]);
  }
  if (point.zero_count() != 0) StrAppend(text, " zero=", point.zero_count());
  const otlp::ExponentialBuckets positive = point.positive();
  for (size_t i = 0; i < positive.counts.size(); ++i) {
    const double bucket = static_cast<double>(positive.offset) + static_cast<double>(i);
    StrAppend(text, " le", GeneralText(BucketEnd(bucket + 1, point.scale())), "=", positive.counts[i]);
  }
  return text;
}

std::string NormalPoint(const otlp::SummaryPointView& point) {
  std::string text = StrCat("count=", point.count(), " sum=", FixedText(point.sum()));
  for (const otlp::QuantileView quantile : point.quantiles()) {
    StrAppend(text, " q", GeneralText(quantile.quantile()), "=", GeneralText(quantile.value()));
  }
  return text;
}

// Calls `visit` with each point, of whatever kind.
template <typename Visit>
void ForEachPoint(const MetricView& metric, Visit visit) {
  const auto each = [&](const auto& points) {
    size_t index = 0;
    for (const auto& point : points) visit(point, index++);
  };
  switch (metric.kind()) {
    case MetricKind::kNone:
      return;
    case MetricKind::kGauge:
    case MetricKind::kSum:
      return each(metric.number_points());
    case MetricKind::kHistogram:
      return each(metric.histogram_points());
    case MetricKind::kExponentialHistogram:
      return each(metric.exponential_points());
    case MetricKind::kSummary:
      return each(metric.summary_points());
  }
}

}  // namespace

void DetailedMetric(std::string_view wire, std::string& out) {
  const MetricView metric(wire);
  Line(out, "Descriptor:");
  Line(out, "     -> Name: ", metric.name());
  Line(out, "     -> Description: ", metric.description());
  Line(out, "     -> Unit: ", metric.unit());
  Line(out, "     -> DataType: ", kKinds[static_cast<size_t>(metric.kind())]);
  AttributeLines("     -> Metadata", "     ", metric.metadata(), out);
  const bool has_temporality = metric.kind() == MetricKind::kSum || metric.kind() == MetricKind::kHistogram ||
                               metric.kind() == MetricKind::kExponentialHistogram;
  if (metric.kind() == MetricKind::kSum) Line(out, "     -> IsMonotonic: ", metric.is_monotonic() ? "true" : "false");
  if (has_temporality) {
    Line(out, "     -> AggregationTemporality: ", kTemporalities[static_cast<size_t>(metric.temporality())]);
  }
  ForEachPoint(metric, [&](const auto& point, size_t index) { DetailedPoint(point, index, out); });
}

void NormalMetric(std::string_view wire, std::string& out) {
  const MetricView metric(wire);
  ForEachPoint(metric, [&](const auto& point, size_t) {
    Line(out, metric.name(), "{", AttributesInLine(point.attributes(), ","), "} ", NormalPoint(point));
  });
}

}  // namespace spanloom::pipeline
