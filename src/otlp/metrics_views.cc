// SPDX-License-Identifier: Apache-2.0

#include "otlp/metrics_views.h"

#include <bit>
#include <cstring>

namespace spanloom::otlp {
namespace {

using wire::Cursor;
using wire::Type;

double AsDouble(uint64_t bits) {
  return std::bit_cast<double>(bits);
}

int32_t UnZigzag(uint64_t value) {
  const auto bits = static_cast<uint32_t>(value);
  return static_cast<int32_t>((bits >> 1) ^ (0U - (bits & 1)));
}

// The numbers of a repeated field of 8 bytes each, packed or one by one.
template <typename Number>
std::vector<Number> ReadFixed64s(std::string_view message, uint32_t field) {
  std::vector<Number> numbers;
  for (Cursor cursor(message); cursor.Next();) {
    if (cursor.field() != field) continue;
    if (cursor.type() == Type::kFixed64) numbers.push_back(std::bit_cast<Number>(cursor.scalar()));
    if (cursor.type() != Type::kBytes) continue;
    const std::string_view packed = cursor.bytes();
    for (size_t at = 0; at + sizeof(uint64_t) <= packed.size(); at += sizeof(uint64_t)) {
      Number number{};
      std::memcpy(&number, packed.data() + at, sizeof(number));
      numbers.push_back(number);
    }
  }
  return numbers;
}

// The same of a repeated field of varints.
std::vector<uint64_t> ReadVarints(std::string_view message, uint32_t field) {
  std::vector<uint64_t> numbers;
  for (Cursor cursor(message); cursor.Next();) {
    if (cursor.field() != field) continue;
    if (cursor.type() == Type::kVarint) numbers.push_back(cursor.scalar());
    if (cursor.type() != Type::kBytes) continue;
    for (wire::PackedVarints packed(cursor.bytes()); packed.Next();) numbers.push_back(packed.value());
  }
  return numbers;
}

// Reads a field of those that all points have; each kind numbers them in its own way.
template <typename Field>
void ReadTimes(const Cursor& cursor, PointTimes& times) {
  if (cursor.field() == Field::kStartTime) times.start_unix_ns = cursor.scalar();
  if (cursor.field() == Field::kTime) times.time_unix_ns = cursor.scalar();
  if (cursor.field() == Field::kFlags) times.flags = static_cast<uint32_t>(cursor.scalar());
}

ExponentialBuckets ReadBuckets(std::string_view point, uint32_t field) {
  ExponentialBuckets buckets;
  for (Cursor cursor(point); cursor.Next();) {
    if (cursor.field() != field || cursor.type() != Type::kBytes) continue;
    for (Cursor inner(cursor.bytes()); inner.Next();) {
      if (inner.field() == field::Buckets::kOffset && inner.type() == Type::kVarint) {
        buckets.offset = UnZigzag(inner.scalar());
      }
    }
    buckets.counts = ReadVarints(cursor.bytes(), field::Buckets::kBucketCounts);
  }
  return buckets;
}

MetricKind KindOf(uint32_t field) {
  switch (field) {
    case field::Metric::kGauge:
      return MetricKind::kGauge;
    case field::Metric::kSum:
      return MetricKind::kSum;
    case field::Metric::kHistogram:
      return MetricKind::kHistogram;
    case field::Metric::kExponentialHistogram:
      return MetricKind::kExponentialHistogram;
    case field::Metric::kSummary:
      return MetricKind::kSummary;
    default:
      return MetricKind::kNone;
  }
}

}  // namespace

ExemplarView::ExemplarView(std::string_view wire) : wire_(wire) {
  using Field = field::Exemplar;
  for (Cursor cursor(wire); cursor.Next();) {
    if (cursor.field() == Field::kTime) time_unix_ns_ = cursor.scalar();
    if (cursor.field() == Field::kAsDouble) value_ = AsDouble(cursor.scalar());
    if (cursor.field() == Field::kAsInt) value_ = static_cast<double>(static_cast<int64_t>(cursor.scalar()));
    if (cursor.type() != Type::kBytes) continue;
    if (cursor.field() == Field::kTraceId) trace_id_ = TraceId::FromBytes(cursor.bytes()).value_or(TraceId{});
    if (cursor.field() == Field::kSpanId) span_id_ = SpanId::FromBytes(cursor.bytes()).value_or(SpanId{});
  }
}

NumberPointView::NumberPointView(std::string_view wire) : wire_(wire) {
  using Field = field::NumberDataPoint;
  for (Cursor cursor(wire); cursor.Next();) {
    if (cursor.type() == Type::kBytes) continue;
    ReadTimes<Field>(cursor, times_);
    if (cursor.field() == Field::kAsDouble) {
      double_value_ = AsDouble(cursor.scalar());
      is_int_ = false;
    }
    if (cursor.field() == Field::kAsInt) {
      int_value_ = static_cast<int64_t>(cursor.scalar());
      is_int_ = true;
    }
  }
}

HistogramPointView::HistogramPointView(std::string_view wire) : wire_(wire) {
  using Field = field::HistogramDataPoint;
  for (Cursor cursor(wire); cursor.Next();) {
    if (cursor.type() == Type::kBytes) continue;
    ReadTimes<Field>(cursor, times_);
    if (cursor.field() == Field::kCount) count_ = cursor.scalar();
    if (cursor.field() == Field::kSum) sum_ = AsDouble(cursor.scalar());
  }
}

std::vector<uint64_t> HistogramPointView::bucket_counts() const {
  return ReadFixed64s<uint64_t>(wire_, field::HistogramDataPoint::kBucketCounts);
}

std::vector<double> HistogramPointView::bounds() const {
  return ReadFixed64s<double>(wire_, field::HistogramDataPoint::kExplicitBounds);
}

ExponentialPointView::ExponentialPointView(std::string_view wire) : wire_(wire) {
  using Field = field::ExponentialHistogramDataPoint;
  for (Cursor cursor(wire); cursor.Next();) {
    if (cursor.type() == Type::kBytes) continue;
    ReadTimes<Field>(cursor, times_);
    if (cursor.field() == Field::kCount) count_ = cursor.scalar();
    if (cursor.field() == Field::kSum) sum_ = AsDouble(cursor.scalar());
    if (cursor.field() == Field::kScale) scale_ = UnZigzag(cursor.scalar());
    if (cursor.field() == Field::kZeroCount) zero_count_ = cursor.scalar();
    if (cursor.field() == Field::kZeroThreshold) zero_threshold_ = AsDouble(cursor.scalar());
  }
}

ExponentialBuckets ExponentialPointView::positive() const {
  return ReadBuckets(wire_, field::ExponentialHistogramDataPoint::kPositive);
}

ExponentialBuckets ExponentialPointView::negative() const {
  return ReadBuckets(wire_, field::ExponentialHistogramDataPoint::kNegative);
}

QuantileView::QuantileView(std::string_view wire) {
  for (Cursor cursor(wire); cursor.Next();) {
    if (cursor.field() == field::QuantileValue::kQuantile) quantile_ = AsDouble(cursor.scalar());
    if (cursor.field() == field::QuantileValue::kValue) value_ = AsDouble(cursor.scalar());
  }
}

SummaryPointView::SummaryPointView(std::string_view wire) : wire_(wire) {
  using Field = field::SummaryDataPoint;
  for (Cursor cursor(wire); cursor.Next();) {
    if (cursor.type() == Type::kBytes) continue;
    ReadTimes<Field>(cursor, times_);
    if (cursor.field() == Field::kCount) count_ = cursor.scalar();
    if (cursor.field() == Field::kSum) sum_ = AsDouble(cursor.scalar());
  }
}

MetricView::MetricView(std::string_view wire) : wire_(wire) {
  using Field = field::Metric;
  for (Cursor cursor(wire); cursor.Next();) {
    if (cursor.type() != Type::kBytes) continue;
    if (cursor.field() == Field::kName) name_ = cursor.bytes();
    if (cursor.field() == Field::kDescription) description_ = cursor.bytes();
    if (cursor.field() == Field::kUnit) unit_ = cursor.bytes();
    if (const MetricKind kind = KindOf(cursor.field()); kind != MetricKind::kNone) {
      kind_ = kind;
      data_ = cursor.bytes();
    }
  }
  for (Cursor cursor(data_); cursor.Next();) {
    if (cursor.type() != Type::kVarint) continue;
    const uint64_t value = cursor.scalar();
    if (cursor.field() == field::MetricData::kAggregationTemporality) {
      temporality_ = value <= static_cast<uint64_t>(Temporality::kCumulative) ? static_cast<Temporality>(value)
                                                                              : Temporality::kUnspecified;
    }
    if (cursor.field() == field::MetricData::kIsMonotonic) is_monotonic_ = value != 0;
  }
}

}  // namespace spanloom::otlp
