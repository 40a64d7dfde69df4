// SPDX-License-Identifier: Apache-2.0

#include "otlp/schema.h"

#include "base/check.h"
#include "otlp/fields.h"

namespace spanloom::otlp {
namespace {

constexpr std::string_view kSpanKindNames[] = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER",
                                               "SPAN_KIND_CLIENT",      "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"};
constexpr std::string_view kTemporalityNames[] = {
    "AGGREGATION_TEMPORALITY_UNSPECIFIED", "AGGREGATION_TEMPORALITY_DELTA", "AGGREGATION_TEMPORALITY_CUMULATIVE"};
constexpr std::string_view kSeverityNames[] = {
    "SEVERITY_NUMBER_UNSPECIFIED", "SEVERITY_NUMBER_TRACE", "SEVERITY_NUMBER_TRACE2", "SEVERITY_NUMBER_TRACE3",
    "SEVERITY_NUMBER_TRACE4",      "SEVERITY_NUMBER_DEBUG", "SEVERITY_NUMBER_DEBUG2", "SEVERITY_NUMBER_DEBUG3",
    "SEVERITY_NUMBER_DEBUG4",      "SEVERITY_NUMBER_INFO",  "SEVERITY_NUMBER_INFO2",  "SEVERITY_NUMBER_INFO3",
    "SEVERITY_NUMBER_INFO4",       "SEVERITY_NUMBER_WARN",  "SEVERITY_NUMBER_WARN2",  "SEVERITY_NUMBER_WARN3",
    "SEVERITY_NUMBER_WARN4",       "SEVERITY_NUMBER_ERROR", "SEVERITY_NUMBER_ERROR2", "SEVERITY_NUMBER_ERROR3",
    "SEVERITY_NUMBER_ERROR4",      "SEVERITY_NUMBER_FATAL", "SEVERITY_NUMBER_FATAL2", "SEVERITY_NUMBER_FATAL3",
    "SEVERITY_NUMBER_FATAL4"};
constexpr std::string_view kStatusCodeNames[] = {"STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"};

consteval FieldSchema Scalar(uint32_t number, FieldKind kind, std::string_view json_name) {
  return {.number = number, .kind = kind, .json_name = json_name};
}

consteval FieldSchema Enum(uint32_t number, std::string_view json_name, std::span<const std::string_view> names) {
  return {.number = number, .kind = FieldKind::kEnum, .json_name = json_name, .enum_names = names};
}

consteval FieldSchema One(uint32_t number, std::string_view json_name, const MessageSchema& message) {
  return {.number = number, .kind = FieldKind::kMessage, .json_name = json_name, .message = &message};
}

// A message that JSON always has.
consteval FieldSchema Always(uint32_t number, std::string_view json_name, const MessageSchema& message) {
  FieldSchema field = One(number, json_name, message);
  field.is_always_written = true;
  return field;
}

// A number that may be missing, or is one of a choice: 0 is not the same as none.
consteval FieldSchema Optional(uint32_t number, FieldKind kind, std::string_view json_name) {
  FieldSchema field = Scalar(number, kind, json_name);
  field.has_presence = true;
  return field;
}

consteval FieldSchema Many(uint32_t number, std::string_view json_name, const MessageSchema& message) {
  return {.number = number, .kind = FieldKind::kRepeatedMessage, .json_name = json_name, .message = &message};
}

consteval MessageSchema Message(std::string_view name, std::span<const FieldSchema> fields) {
  MessageSchema message{.name = name, .fields = {}, .json_fields = fields};
  for (const FieldSchema& field : fields) message.fields[field.number] = field;
  return message;
}

consteval MessageSchema Item(std::string_view name, std::span<const FieldSchema> fields) {
  MessageSchema message = Message(name, fields);
  message.is_item = true;
  return message;
}

using enum FieldKind;

constexpr FieldSchema kTracesFields[] = {
    Many(field::Request::kResourceSpans, "resourceSpans", kResourceSpansSchema),
};

constexpr FieldSchema kResourceSpansFields[] = {
    Always(field::ResourceSpans::kResource, "resource", kResourceSchema),
    Many(field::ResourceSpans::kScopeSpans, "scopeSpans", kScopeSpansSchema),
    Scalar(field::ResourceSpans::kSchemaUrl, kString, "schemaUrl"),
};

constexpr FieldSchema kResourceFields[] = {
    Many(field::Resource::kAttributes, "attributes", kKeyValueSchema),
    Scalar(field::Resource::kDroppedAttributesCount, kUint32, "droppedAttributesCount"),
    Many(field::Resource::kEntityRefs, "entityRefs", kEntityRefSchema),
};

constexpr FieldSchema kEntityRefFields[] = {
    Scalar(field::EntityRef::kSchemaUrl, kString, "schemaUrl"),
    Scalar(field::EntityRef::kType, kString, "type"),
    Scalar(field::EntityRef::kIdKeys, kRepeatedString, "idKeys"),
    Scalar(field::EntityRef::kDescriptionKeys, kRepeatedString, "descriptionKeys"),
};

constexpr FieldSchema kScopeSpansFields[] = {
    Always(field::ScopeSpans::kScope, "scope", kScopeSchema),
    Many(field::ScopeSpans::kSpans, "spans", kSpanSchema),
    Scalar(field::ScopeSpans::kSchemaUrl, kString, "schemaUrl"),
};

constexpr FieldSchema kScopeFields[] = {
    Scalar(field::Scope::kName, kString, "name"),
    Scalar(field::Scope::kVersion, kString, "version"),
    Many(field::Scope::kAttributes, "attributes", kKeyValueSchema),
    Scalar(field::Scope::kDroppedAttributesCount, kUint32, "droppedAttributesCount"),
};

constexpr FieldSchema kSpanFields[] = {
    Scalar(field::Span::kTraceId, kTraceId, "traceId"),
    Scalar(field::Span::kSpanId, kSpanId, "spanId"),
    Scalar(field::Span::kTraceState, kString, "traceState"),
    Scalar(field::Span::kParentSpanId, kSpanId, "parentSpanId"),
    Scalar(field::Span::kFlags, kFixed32, "flags"),
    Scalar(field::Span::kName, kString, "name"),
    Enum(field::Span::kKind, "kind", kSpanKindNames),
    Scalar(field::Span::kStartTime, kFixed64, "startTimeUnixNano"),
    Scalar(field::Span::kEndTime, kFixed64, "endTimeUnixNano"),
    Many(field::Span::kAttributes, "attributes", kKeyValueSchema),
    Scalar(field::Span::kDroppedAttributesCount, kUint32, "droppedAttributesCount"),
    Many(field::Span::kEvents, "events", kEventSchema),
    Scalar(field::Span::kDroppedEventsCount, kUint32, "droppedEventsCount"),
    Many(field::Span::kLinks, "links", kLinkSchema),
    Scalar(field::Span::kDroppedLinksCount, kUint32, "droppedLinksCount"),
    Always(field::Span::kStatus, "status", kStatusSchema),
};

constexpr FieldSchema kEventFields[] = {
    Scalar(field::Event::kTime, kFixed64, "timeUnixNano"),
    Scalar(field::Event::kName, kString, "name"),
    Many(field::Event::kAttributes, "attributes", kKeyValueSchema),
    Scalar(field::Event::kDroppedAttributesCount, kUint32, "droppedAttributesCount"),
};

constexpr FieldSchema kLinkFields[] = {
    Scalar(field::Link::kTraceId, kTraceId, "traceId"),
    Scalar(field::Link::kSpanId, kSpanId, "spanId"),
    Scalar(field::Link::kTraceState, kString, "traceState"),
    Many(field::Link::kAttributes, "attributes", kKeyValueSchema),
    Scalar(field::Link::kDroppedAttributesCount, kUint32, "droppedAttributesCount"),
    Scalar(field::Link::kFlags, kFixed32, "flags"),
};

constexpr FieldSchema kStatusFields[] = {
    Scalar(field::Status::kMessage, kString, "message"),
    Enum(field::Status::kCode, "code", kStatusCodeNames),
};

constexpr FieldSchema kKeyValueFields[] = {
    Scalar(field::KeyValue::kKey, kString, "key"),
    Always(field::KeyValue::kValue, "value", kValueSchema),
};

constexpr FieldSchema kValueFields[] = {
    Scalar(field::Value::kString, kString, "stringValue"), Scalar(field::Value::kBool, kBool, "boolValue"),
    Scalar(field::Value::kInt, kInt64, "intValue"),        Scalar(field::Value::kDouble, kDouble, "doubleValue"),
    One(field::Value::kArray, "arrayValue", kArraySchema), One(field::Value::kMap, "kvlistValue", kKeyValuesSchema),
    Scalar(field::Value::kBytes, kBytes, "bytesValue"),
};

constexpr FieldSchema kArrayFields[] = {
    Many(field::Array::kValues, "values", kValueSchema),
};

constexpr FieldSchema kKeyValuesFields[] = {
    Many(field::Map::kValues, "values", kKeyValueSchema),
};

extern const MessageSchema kResourceMetricsSchema;
extern const MessageSchema kScopeMetricsSchema;
extern const MessageSchema kMetricSchema;
extern const MessageSchema kGaugeSchema;
extern const MessageSchema kSumSchema;
extern const MessageSchema kHistogramSchema;
extern const MessageSchema kExponentialHistogramSchema;
extern const MessageSchema kSummarySchema;
extern const MessageSchema kNumberDataPointSchema;
extern const MessageSchema kHistogramDataPointSchema;
extern const MessageSchema kExponentialHistogramDataPointSchema;
extern const MessageSchema kBucketsSchema;
extern const MessageSchema kSummaryDataPointSchema;
extern const MessageSchema kQuantileValueSchema;
extern const MessageSchema kExemplarSchema;
extern const MessageSchema kResourceLogsSchema;
extern const MessageSchema kScopeLogsSchema;
extern const MessageSchema kLogRecordSchema;

constexpr FieldSchema kMetricsFields[] = {
    Many(field::Request::kResourceSpans, "resourceMetrics", kResourceMetricsSchema),
};

constexpr FieldSchema kResourceMetricsFields[] = {
    Always(field::ResourceSpans::kResource, "resource", kResourceSchema),
    Many(field::ResourceSpans::kScopeSpans, "scopeMetrics", kScopeMetricsSchema),
    Scalar(field::ResourceSpans::kSchemaUrl, kString, "schemaUrl"),
};

constexpr FieldSchema kScopeMetricsFields[] = {
    Always(field::ScopeSpans::kScope, "scope", kScopeSchema),
    Many(field::ScopeSpans::kSpans, "metrics", kMetricSchema),
    Scalar(field::ScopeSpans::kSchemaUrl, kString, "schemaUrl"),
};

constexpr FieldSchema kMetricFields[] = {
    Scalar(field::Metric::kName, kString, "name"),
    Scalar(field::Metric::kDescription, kString, "description"),
    Scalar(field::Metric::kUnit, kString, "unit"),
    One(field::Metric::kGauge, "gauge", kGaugeSchema),
    One(field::Metric::kSum, "sum", kSumSchema),
    One(field::Metric::kHistogram, "histogram", kHistogramSchema),
    One(field::Metric::kExponentialHistogram, "exponentialHistogram", kExponentialHistogramSchema),
    One(field::Metric::kSummary, "summary", kSummarySchema),
    Many(field::Metric::kMetadata, "metadata", kKeyValueSchema),
};

constexpr FieldSchema kGaugeFields[] = {
    Many(field::MetricData::kDataPoints, "dataPoints", kNumberDataPointSchema),
};

constexpr FieldSchema kSumFields[] = {
    Many(field::MetricData::kDataPoints, "dataPoints", kNumberDataPointSchema),
    Enum(field::MetricData::kAggregationTemporality, "aggregationTemporality", kTemporalityNames),
    Scalar(field::MetricData::kIsMonotonic, kBool, "isMonotonic"),
};

constexpr FieldSchema kHistogramFields[] = {
    Many(field::MetricData::kDataPoints, "dataPoints", kHistogramDataPointSchema),
    Enum(field::MetricData::kAggregationTemporality, "aggregationTemporality", kTemporalityNames),
};

constexpr FieldSchema kExponentialHistogramFields[] = {
    Many(field::MetricData::kDataPoints, "dataPoints", kExponentialHistogramDataPointSchema),
    Enum(field::MetricData::kAggregationTemporality, "aggregationTemporality", kTemporalityNames),
};

constexpr FieldSchema kSummaryFields[] = {
    Many(field::MetricData::kDataPoints, "dataPoints", kSummaryDataPointSchema),
};

constexpr FieldSchema kNumberDataPointFields[] = {
    Many(field::NumberDataPoint::kAttributes, "attributes", kKeyValueSchema),
    Scalar(field::NumberDataPoint::kStartTime, kFixed64, "startTimeUnixNano"),
    Scalar(field::NumberDataPoint::kTime, kFixed64, "timeUnixNano"),
    Optional(field::NumberDataPoint::kAsDouble, kDouble, "asDouble"),
    Optional(field::NumberDataPoint::kAsInt, kSfixed64, "asInt"),
    Many(field::NumberDataPoint::kExemplars, "exemplars", kExemplarSchema),
    Scalar(field::NumberDataPoint::kFlags, kUint32, "flags"),
};

constexpr FieldSchema kHistogramDataPointFields[] = {
    Many(field::HistogramDataPoint::kAttributes, "attributes", kKeyValueSchema),
    Scalar(field::HistogramDataPoint::kStartTime, kFixed64, "startTimeUnixNano"),
    Scalar(field::HistogramDataPoint::kTime, kFixed64, "timeUnixNano"),
    Scalar(field::HistogramDataPoint::kCount, kFixed64, "count"),
    Optional(field::HistogramDataPoint::kSum, kDouble, "sum"),
    Scalar(field::HistogramDataPoint::kBucketCounts, kPackedFixed64, "bucketCounts"),
    Scalar(field::HistogramDataPoint::kExplicitBounds, kPackedDouble, "explicitBounds"),
    Many(field::HistogramDataPoint::kExemplars, "exemplars", kExemplarSchema),
    Scalar(field::HistogramDataPoint::kFlags, kUint32, "flags"),
    Optional(field::HistogramDataPoint::kMin, kDouble, "min"),
    Optional(field::HistogramDataPoint::kMax, kDouble, "max"),
};

constexpr FieldSchema kExponentialHistogramDataPointFields[] = {
    Many(field::ExponentialHistogramDataPoint::kAttributes, "attributes", kKeyValueSchema),
    Scalar(field::ExponentialHistogramDataPoint::kStartTime, kFixed64, "startTimeUnixNano"),
    Scalar(field::ExponentialHistogramDataPoint::kTime, kFixed64, "timeUnixNano"),
    Scalar(field::ExponentialHistogramDataPoint::kCount, kFixed64, "count"),
    Optional(field::ExponentialHistogramDataPoint::kSum, kDouble, "sum"),
    Scalar(field::ExponentialHistogramDataPoint::kScale, kSint32, "scale"),
    Scalar(field::ExponentialHistogramDataPoint::kZeroCount, kFixed64, "zeroCount"),
    Always(field::ExponentialHistogramDataPoint::kPositive, "positive", kBucketsSchema),
    Always(field::ExponentialHistogramDataPoint::kNegative, "negative", kBucketsSchema),
    Scalar(field::ExponentialHistogramDataPoint::kFlags, kUint32, "flags"),
    Many(field::ExponentialHistogramDataPoint::kExemplars, "exemplars", kExemplarSchema),
    Optional(field::ExponentialHistogramDataPoint::kMin, kDouble, "min"),
    Optional(field::ExponentialHistogramDataPoint::kMax, kDouble, "max"),
    Scalar(field::ExponentialHistogramDataPoint::kZeroThreshold, kDouble, "zeroThreshold"),
};

constexpr FieldSchema kBucketsFields[] = {
    Scalar(field::Buckets::kOffset, kSint32, "offset"),
    Scalar(field::Buckets::kBucketCounts, kPackedUint64, "bucketCounts"),
};

constexpr FieldSchema kSummaryDataPointFields[] = {
    Many(field::SummaryDataPoint::kAttributes, "attributes", kKeyValueSchema),
    Scalar(field::SummaryDataPoint::kStartTime, kFixed64, "startTimeUnixNano"),
    Scalar(field::SummaryDataPoint::kTime, kFixed64, "timeUnixNano"),
    Scalar(field::SummaryDataPoint::kCount, kFixed64, "count"),
    Scalar(field::SummaryDataPoint::kSum, kDouble, "sum"),
    Many(field::SummaryDataPoint::kQuantileValues, "quantileValues", kQuantileValueSchema),
    Scalar(field::SummaryDataPoint::kFlags, kUint32, "flags"),
};

constexpr FieldSchema kQuantileValueFields[] = {
    Scalar(field::QuantileValue::kQuantile, kDouble, "quantile"),
    Scalar(field::QuantileValue::kValue, kDouble, "value"),
};

constexpr FieldSchema kExemplarFields[] = {
    Many(field::Exemplar::kFilteredAttributes, "filteredAttributes", kKeyValueSchema),
    Scalar(field::Exemplar::kTime, kFixed64, "timeUnixNano"),
    Optional(field::Exemplar::kAsDouble, kDouble, "asDouble"),
    Optional(field::Exemplar::kAsInt, kSfixed64, "asInt"),
    Scalar(field::Exemplar::kTraceId, kTraceId, "traceId"),
    Scalar(field::Exemplar::kSpanId, kSpanId, "spanId"),
};

constexpr FieldSchema kLogsFields[] = {
    Many(field::Request::kResourceSpans, "resourceLogs", kResourceLogsSchema),
};

constexpr FieldSchema kResourceLogsFields[] = {
    Always(field::ResourceSpans::kResource, "resource", kResourceSchema),
    Many(field::ResourceSpans::kScopeSpans, "scopeLogs", kScopeLogsSchema),
    Scalar(field::ResourceSpans::kSchemaUrl, kString, "schemaUrl"),
};

constexpr FieldSchema kScopeLogsFields[] = {
    Always(field::ScopeSpans::kScope, "scope", kScopeSchema),
    Many(field::ScopeSpans::kSpans, "logRecords", kLogRecordSchema),
    Scalar(field::ScopeSpans::kSchemaUrl, kString, "schemaUrl"),
};

constexpr FieldSchema kLogRecordFields[] = {
    Scalar(field::LogRecord::kTime, kFixed64, "timeUnixNano"),
    Scalar(field::LogRecord::kObservedTime, kFixed64, "observedTimeUnixNano"),
    Enum(field::LogRecord::kSeverityNumber, "severityNumber", kSeverityNames),
    Scalar(field::LogRecord::kSeverityText, kString, "severityText"),
    Always(field::LogRecord::kBody, "body", kValueSchema),
    Many(field::LogRecord::kAttributes, "attributes", kKeyValueSchema),
    Scalar(field::LogRecord::kDroppedAttributesCount, kUint32, "droppedAttributesCount"),
    Scalar(field::LogRecord::kFlags, kFixed32, "flags"),
    Scalar(field::LogRecord::kTraceId, kTraceId, "traceId"),
    Scalar(field::LogRecord::kSpanId, kSpanId, "spanId"),
    Scalar(field::LogRecord::kEventName, kString, "eventName"),
};

constinit const MessageSchema kResourceMetricsSchema = Message("ResourceMetrics", kResourceMetricsFields);
constinit const MessageSchema kScopeMetricsSchema = Message("ScopeMetrics", kScopeMetricsFields);
constinit const MessageSchema kMetricSchema = Message("Metric", kMetricFields);
constinit const MessageSchema kGaugeSchema = Message("Gauge", kGaugeFields);
constinit const MessageSchema kSumSchema = Message("Sum", kSumFields);
constinit const MessageSchema kHistogramSchema = Message("Histogram", kHistogramFields);
constinit const MessageSchema kExponentialHistogramSchema =
    Message("ExponentialHistogram", kExponentialHistogramFields);
constinit const MessageSchema kSummarySchema = Message("Summary", kSummaryFields);
constinit const MessageSchema kNumberDataPointSchema = Item("NumberDataPoint", kNumberDataPointFields);
constinit const MessageSchema kHistogramDataPointSchema = Item("HistogramDataPoint", kHistogramDataPointFields);
constinit const MessageSchema kExponentialHistogramDataPointSchema =
    Item("ExponentialHistogramDataPoint", kExponentialHistogramDataPointFields);
constinit const MessageSchema kBucketsSchema = Message("Buckets", kBucketsFields);
constinit const MessageSchema kSummaryDataPointSchema = Item("SummaryDataPoint", kSummaryDataPointFields);
constinit const MessageSchema kQuantileValueSchema = Message("ValueAtQuantile", kQuantileValueFields);
constinit const MessageSchema kExemplarSchema = Message("Exemplar", kExemplarFields);
constinit const MessageSchema kResourceLogsSchema = Message("ResourceLogs", kResourceLogsFields);
constinit const MessageSchema kScopeLogsSchema = Message("ScopeLogs", kScopeLogsFields);
constinit const MessageSchema kLogRecordSchema = Item("LogRecord", kLogRecordFields);

}  // namespace

constinit const MessageSchema kTracesSchema = Message("ExportTraceServiceRequest", kTracesFields);
constinit const MessageSchema kResourceSpansSchema = Message("ResourceSpans", kResourceSpansFields);
constinit const MessageSchema kResourceSchema = Message("Resource", kResourceFields);
constinit const MessageSchema kEntityRefSchema = Message("EntityRef", kEntityRefFields);
constinit const MessageSchema kScopeSpansSchema = Message("ScopeSpans", kScopeSpansFields);
constinit const MessageSchema kScopeSchema = Message("InstrumentationScope", kScopeFields);
constinit const MessageSchema kSpanSchema = Item("Span", kSpanFields);
constinit const MessageSchema kEventSchema = Message("Event", kEventFields);
constinit const MessageSchema kLinkSchema = Message("Link", kLinkFields);
constinit const MessageSchema kStatusSchema = Message("Status", kStatusFields);
constinit const MessageSchema kKeyValueSchema = Message("KeyValue", kKeyValueFields);
constinit const MessageSchema kValueSchema = Message("AnyValue", kValueFields);
constinit const MessageSchema kArraySchema = Message("ArrayValue", kArrayFields);
constinit const MessageSchema kKeyValuesSchema = Message("KeyValueList", kKeyValuesFields);
constinit const MessageSchema kMetricsSchema = Message("ExportMetricsServiceRequest", kMetricsFields);
constinit const MessageSchema kLogsSchema = Message("ExportLogsServiceRequest", kLogsFields);

const MessageSchema& RequestSchema(Signal signal) {
  switch (signal) {
    case Signal::kTraces:
      return kTracesSchema;
    case Signal::kMetrics:
      return kMetricsSchema;
    case Signal::kLogs:
      return kLogsSchema;
  }
  CHECK(false);
}

}  // namespace spanloom::otlp
