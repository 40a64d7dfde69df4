// SPDX-License-Identifier: Apache-2.0

#include "otlp/metrics_writer.h"

#include <bit>

#include "base/check.h"

namespace spanloom::otlp {
namespace {

constexpr size_t kLargeLength = 3;   // bytes of a length, up to 2 MiB
constexpr size_t kMediumLength = 2;  // up to 16 KiB

uint32_t DataField(MetricKind kind) {
  switch (kind) {
    case MetricKind::kGauge:
      return field::Metric::kGauge;
    case MetricKind::kSum:
      return field::Metric::kSum;
    case MetricKind::kHistogram:
      return field::Metric::kHistogram;
    case MetricKind::kExponentialHistogram:
      return field::Metric::kExponentialHistogram;
    case MetricKind::kSummary:
      return field::Metric::kSummary;
    case MetricKind::kNone:
      break;
  }
  CHECK(false);
  return 0;
}

uint32_t Zigzag(int32_t value) {
  return (static_cast<uint32_t>(value) << 1) ^ static_cast<uint32_t>(value >> 31);
}

void WriteText(wire::Writer& writer, uint32_t field, std::string_view text) {
  if (!text.empty()) writer.Bytes(field, text);
}

}  // namespace

void MetricsWriter::BeginResource(std::string_view resource) {
  End();
  resource_metrics_ = writer_.Begin(field::Request::kResourceSpans, kLargeLength);
  writer_.Bytes(field::ResourceSpans::kResource, resource);
  in_resource_ = true;
}

void MetricsWriter::BeginScope(std::string_view scope) {
  CHECK(in_resource_);
  EndScope();
  scope_metrics_ = writer_.Begin(field::ResourceSpans::kScopeSpans, kLargeLength);
  writer_.Bytes(field::ScopeSpans::kScope, scope);
  in_scope_ = true;
}

void MetricsWriter::BeginMetric(const MetricFields& fields) {
  CHECK(in_scope_);
  EndMetric();
  metric_ = writer_.Begin(field::ScopeSpans::kSpans, kLargeLength);
  WriteText(writer_, field::Metric::kName, fields.name);
  WriteText(writer_, field::Metric::kDescription, fields.description);
  WriteText(writer_, field::Metric::kUnit, fields.unit);
  data_ = writer_.Begin(DataField(fields.kind), kLargeLength);
  fields_ = fields;
  in_metric_ = true;
}

wire::Writer::Mark MetricsWriter::BeginPoint() {
  CHECK(in_metric_);
  ++points_;
  return writer_.Begin(field::MetricData::kDataPoints, kMediumLength);
}

void MetricsWriter::AddNumber(const PointTimes& times, double value, WriteAttributes attributes) {
  using Field = field::NumberDataPoint;
  const auto mark = BeginPoint();
  if (times.start_unix_ns != 0) writer_.Fixed64(Field::kStartTime, times.start_unix_ns);
  writer_.Fixed64(Field::kTime, times.time_unix_ns);
  writer_.Double(Field::kAsDouble, value);
  AttributeWriter writer(writer_, Field::kAttributes);
  attributes(writer);
  if (times.flags != 0) writer_.Varint(Field::kFlags, times.flags);
  writer_.End(mark);
}

void MetricsWriter::AddSum(const PointTimes& times, int64_t value, WriteAttributes attributes, Exemplars exemplars) {
  using Field = field::NumberDataPoint;
  const auto mark = BeginPoint();
  writer_.Fixed64(Field::kStartTime, times.start_unix_ns);
  writer_.Fixed64(Field::kTime, times.time_unix_ns);
  WriteExemplars(Field::kExemplars, times.time_unix_ns, exemplars);
  writer_.Fixed64(Field::kAsInt, static_cast<uint64_t>(value));
  AttributeWriter writer(writer_, Field::kAttributes);
  attributes(writer);
  writer_.End(mark);
}

void MetricsWriter::AddHistogram(const PointTimes& times, const HistogramFields& fields, WriteAttributes attributes,
                                 Exemplars exemplars) {
  using Field = field::HistogramDataPoint;
  const auto mark = BeginPoint();
  writer_.Fixed64(Field::kStartTime, times.start_unix_ns);
  writer_.Fixed64(Field::kTime, times.time_unix_ns);
  writer_.Fixed64(Field::kCount, fields.count);
  writer_.Double(Field::kSum, fields.sum);
  writer_.BeginSized(Field::kBucketCounts, fields.bucket_counts.size() * sizeof(uint64_t));
  for (const uint64_t count : fields.bucket_counts) writer_.PackedFixed64(count);
  writer_.BeginSized(Field::kExplicitBounds, fields.bounds.size() * sizeof(double));
  for (const double bound : fields.bounds) writer_.PackedFixed64(std::bit_cast<uint64_t>(bound));
  WriteExemplars(Field::kExemplars, times.time_unix_ns, exemplars);
  AttributeWriter writer(writer_, Field::kAttributes);
  attributes(writer);
  writer_.End(mark);
}

void MetricsWriter::AddExponential(const PointTimes& times, const ExponentialFields& fields, WriteAttributes attributes,
                                   Exemplars exemplars) {
  using Field = field::ExponentialHistogramDataPoint;
  const auto mark = BeginPoint();
  AttributeWriter writer(writer_, Field::kAttributes);
  attributes(writer);
  writer_.Fixed64(Field::kStartTime, times.start_unix_ns);
  writer_.Fixed64(Field::kTime, times.time_unix_ns);
  writer_.Fixed64(Field::kCount, fields.count);
  writer_.Double(Field::kSum, fields.sum);
  writer_.Varint(Field::kScale, Zigzag(fields.scale));
  writer_.Fixed64(Field::kZeroCount, fields.zero_count);
  const auto buckets = writer_.Begin(Field::kPositive, kMediumLength);
  writer_.Varint(field::Buckets::kOffset, Zigzag(fields.positive_offset));
  const auto counts = writer_.Begin(field::Buckets::kBucketCounts, kMediumLength);
  for (const uint64_t count : fields.positive_counts) writer_.PackedVarint(count);
  writer_.End(counts);
  writer_.End(buckets);
  WriteExemplars(Field::kExemplars, times.time_unix_ns, exemplars);
  if (fields.count != 0) {
    writer_.Double(Field::kMin, fields.min);
    writer_.Double(Field::kMax, fields.max);
  }
  writer_.End(mark);
}

void MetricsWriter::WriteExemplars(uint32_t field, uint64_t time_unix_ns, Exemplars exemplars) {
  using Field = field::Exemplar;
  for (const ExemplarFields& exemplar : exemplars) {
    const auto mark = writer_.Begin(field);
    writer_.Fixed64(Field::kTime, time_unix_ns);
    writer_.Double(Field::kAsDouble, exemplar.value);
    writer_.Bytes(Field::kSpanId, exemplar.span_id.view());
    writer_.Bytes(Field::kTraceId, exemplar.trace_id.view());
    writer_.End(mark);
  }
}

void MetricsWriter::EndMetric() {
  if (!in_metric_) return;
  if (fields_.temporality != Temporality::kUnspecified) {
    writer_.Varint(field::MetricData::kAggregationTemporality, static_cast<uint64_t>(fields_.temporality));
  }
  if (fields_.is_monotonic) writer_.Varint(field::MetricData::kIsMonotonic, 1);
  writer_.End(data_);
  writer_.End(metric_);
  in_metric_ = false;
}

void MetricsWriter::EndScope() {
  EndMetric();
  if (in_scope_) writer_.End(scope_metrics_);
  in_scope_ = false;
}

void MetricsWriter::End() {
  EndScope();
  if (in_resource_) writer_.End(resource_metrics_);
  in_resource_ = false;
}

}  // namespace spanloom::otlp
