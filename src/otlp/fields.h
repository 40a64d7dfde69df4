// SPDX-License-Identifier: Apache-2.0
//
// The field numbers of OTLP requests, each said once for all code that reads or writes the wire form.
// Source: proto/opentelemetry/ of this repository, which declares the messages of OTLP 1.x; of metrics and logs, which
// it does not declare, opentelemetry/proto/{metrics,logs}/v1 of OTLP 1.7.

#pragma once

#include <cstdint>

namespace spanloom::otlp::field {

struct Request {  // ExportTraceServiceRequest, TracesData
  static constexpr uint32_t kResourceSpans = 1;
};

struct ResourceSpans {
  static constexpr uint32_t kResource = 1, kScopeSpans = 2, kSchemaUrl = 3;
};

struct Resource {
  static constexpr uint32_t kAttributes = 1, kDroppedAttributesCount = 2, kEntityRefs = 3;
};

struct EntityRef {
  static constexpr uint32_t kSchemaUrl = 1, kType = 2, kIdKeys = 3, kDescriptionKeys = 4;
};

struct ScopeSpans {
  static constexpr uint32_t kScope = 1, kSpans = 2, kSchemaUrl = 3;
};

struct Scope {  // InstrumentationScope
  static constexpr uint32_t kName = 1, kVersion = 2, kAttributes = 3, kDroppedAttributesCount = 4;
};

struct Span {
  static constexpr uint32_t kTraceId = 1, kSpanId = 2, kTraceState = 3, kParentSpanId = 4, kName = 5, kKind = 6,
                            kStartTime = 7, kEndTime = 8, kAttributes = 9, kDroppedAttributesCount = 10, kEvents = 11,
                            kDroppedEventsCount = 12, kLinks = 13, kDroppedLinksCount = 14, kStatus = 15, kFlags = 16;
};

struct Event {  // Span.Event
  static constexpr uint32_t kTime = 1, kName = 2, kAttributes = 3, kDroppedAttributesCount = 4;
};

struct Link {  // Span.Link
  static constexpr uint32_t kTraceId = 1, kSpanId = 2, kTraceState = 3, kAttributes = 4, kDroppedAttributesCount = 5,
                            kFlags = 6;
};

struct Status {
  static constexpr uint32_t kMessage = 2, kCode = 3;
};

struct KeyValue {
  static constexpr uint32_t kKey = 1, kValue = 2;
};

struct Value {  // AnyValue
  static constexpr uint32_t kString = 1, kBool = 2, kInt = 3, kDouble = 4, kArray = 5, kMap = 6, kBytes = 7;
};

struct Array {  // ArrayValue
  static constexpr uint32_t kValues = 1;
};

struct Map {  // KeyValueList
  static constexpr uint32_t kValues = 1;
};

struct Metric {
  static constexpr uint32_t kName = 1, kDescription = 2, kUnit = 3, kGauge = 5, kSum = 7, kHistogram = 9,
                            kExponentialHistogram = 10, kSummary = 11, kMetadata = 12;
};

struct MetricData {  // Gauge, Sum, Histogram, ExponentialHistogram, Summary
  static constexpr uint32_t kDataPoints = 1, kAggregationTemporality = 2, kIsMonotonic = 3;
};

struct NumberDataPoint {
  static constexpr uint32_t kStartTime = 2, kTime = 3, kAsDouble = 4, kExemplars = 5, kAsInt = 6, kAttributes = 7,
                            kFlags = 8;
};

struct HistogramDataPoint {
  static constexpr uint32_t kStartTime = 2, kTime = 3, kCount = 4, kSum = 5, kBucketCounts = 6, kExplicitBounds = 7,
                            kExemplars = 8, kAttributes = 9, kFlags = 10, kMin = 11, kMax = 12;
};

struct ExponentialHistogramDataPoint {
  static constexpr uint32_t kAttributes = 1, kStartTime = 2, kTime = 3, kCount = 4, kSum = 5, kScale = 6,
                            kZeroCount = 7, kPositive = 8, kNegative = 9, kFlags = 10, kExemplars = 11, kMin = 12,
                            kMax = 13, kZeroThreshold = 14;
};

struct Buckets {  // ExponentialHistogramDataPoint.Buckets
  static constexpr uint32_t kOffset = 1, kBucketCounts = 2;
};

struct SummaryDataPoint {
  static constexpr uint32_t kStartTime = 2, kTime = 3, kCount = 4, kSum = 5, kQuantileValues = 6, kAttributes = 7,
                            kFlags = 8;
};

struct QuantileValue {  // SummaryDataPoint.ValueAtQuantile
  static constexpr uint32_t kQuantile = 1, kValue = 2;
};

struct Exemplar {
  static constexpr uint32_t kTime = 2, kAsDouble = 3, kSpanId = 4, kTraceId = 5, kAsInt = 6, kFilteredAttributes = 7;
};

struct LogRecord {
  static constexpr uint32_t kTime = 1, kSeverityNumber = 2, kSeverityText = 3, kBody = 5, kAttributes = 6,
                            kDroppedAttributesCount = 7, kFlags = 8, kTraceId = 9, kSpanId = 10, kObservedTime = 11,
                            kEventName = 12;
};

}  // namespace spanloom::otlp::field
