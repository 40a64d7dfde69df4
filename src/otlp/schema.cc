// SPDX-License-Identifier: Apache-2.0

#include "otlp/schema.h"

namespace spanloom::otlp {
namespace {

constexpr std::string_view kSpanKindNames[] = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER",
                                               "SPAN_KIND_CLIENT",      "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"};
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

consteval FieldSchema Many(uint32_t number, std::string_view json_name, const MessageSchema& message) {
  return {.number = number, .kind = FieldKind::kRepeatedMessage, .json_name = json_name, .message = &message};
}

consteval MessageSchema Message(std::string_view name, std::span<const FieldSchema> fields) {
  MessageSchema message{.name = name, .fields = {}};
  for (const FieldSchema& field : fields) message.fields[field.number] = field;
  return message;
}

using enum FieldKind;

constexpr FieldSchema kTracesFields[] = {
    Many(1, "resourceSpans", kResourceSpansSchema),
};

constexpr FieldSchema kResourceSpansFields[] = {
    One(1, "resource", kResourceSchema),
    Many(2, "scopeSpans", kScopeSpansSchema),
    Scalar(3, kString, "schemaUrl"),
};

constexpr FieldSchema kResourceFields[] = {
    Many(1, "attributes", kKeyValueSchema),
    Scalar(2, kUint32, "droppedAttributesCount"),
};

constexpr FieldSchema kScopeSpansFields[] = {
    One(1, "scope", kScopeSchema),
    Many(2, "spans", kSpanSchema),
    Scalar(3, kString, "schemaUrl"),
};

constexpr FieldSchema kScopeFields[] = {
    Scalar(1, kString, "name"),
    Scalar(2, kString, "version"),
    Many(3, "attributes", kKeyValueSchema),
    Scalar(4, kUint32, "droppedAttributesCount"),
};

constexpr FieldSchema kSpanFields[] = {
    Scalar(1, kTraceId, "traceId"),
    Scalar(2, kSpanId, "spanId"),
    Scalar(3, kString, "traceState"),
    Scalar(4, kSpanId, "parentSpanId"),
    Scalar(5, kString, "name"),
    Enum(6, "kind", kSpanKindNames),
    Scalar(7, kFixed64, "startTimeUnixNano"),
    Scalar(8, kFixed64, "endTimeUnixNano"),
    Many(9, "attributes", kKeyValueSchema),
    Scalar(10, kUint32, "droppedAttributesCount"),
    Many(11, "events", kEventSchema),
    Scalar(12, kUint32, "droppedEventsCount"),
    Many(13, "links", kLinkSchema),
    Scalar(14, kUint32, "droppedLinksCount"),
    One(15, "status", kStatusSchema),
    Scalar(16, kFixed32, "flags"),
};

constexpr FieldSchema kEventFields[] = {
    Scalar(1, kFixed64, "timeUnixNano"),
    Scalar(2, kString, "name"),
    Many(3, "attributes", kKeyValueSchema),
    Scalar(4, kUint32, "droppedAttributesCount"),
};

constexpr FieldSchema kLinkFields[] = {
    Scalar(1, kTraceId, "traceId"),
    Scalar(2, kSpanId, "spanId"),
    Scalar(3, kString, "traceState"),
    Many(4, "attributes", kKeyValueSchema),
    Scalar(5, kUint32, "droppedAttributesCount"),
    Scalar(6, kFixed32, "flags"),
};

constexpr FieldSchema kStatusFields[] = {
    Scalar(2, kString, "message"),
    Enum(3, "code", kStatusCodeNames),
};

constexpr FieldSchema kKeyValueFields[] = {
    Scalar(1, kString, "key"),
    One(2, "value", kValueSchema),
};

constexpr FieldSchema kValueFields[] = {
    Scalar(1, kString, "stringValue"), Scalar(2, kBool, "boolValue"),      Scalar(3, kInt64, "intValue"),
    Scalar(4, kDouble, "doubleValue"), One(5, "arrayValue", kArraySchema), One(6, "kvlistValue", kKeyValuesSchema),
    Scalar(7, kBytes, "bytesValue"),
};

constexpr FieldSchema kArrayFields[] = {
    Many(1, "values", kValueSchema),
};

constexpr FieldSchema kKeyValuesFields[] = {
    Many(1, "values", kKeyValueSchema),
};

}  // namespace

constinit const MessageSchema kTracesSchema = Message("ExportTraceServiceRequest", kTracesFields);
constinit const MessageSchema kResourceSpansSchema = Message("ResourceSpans", kResourceSpansFields);
constinit const MessageSchema kResourceSchema = Message("Resource", kResourceFields);
constinit const MessageSchema kScopeSpansSchema = Message("ScopeSpans", kScopeSpansFields);
constinit const MessageSchema kScopeSchema = Message("InstrumentationScope", kScopeFields);
constinit const MessageSchema kSpanSchema = Message("Span", kSpanFields);
constinit const MessageSchema kEventSchema = Message("Event", kEventFields);
constinit const MessageSchema kLinkSchema = Message("Link", kLinkFields);
constinit const MessageSchema kStatusSchema = Message("Status", kStatusFields);
constinit const MessageSchema kKeyValueSchema = Message("KeyValue", kKeyValueFields);
constinit const MessageSchema kValueSchema = Message("AnyValue", kValueFields);
constinit const MessageSchema kArraySchema = Message("ArrayValue", kArrayFields);
constinit const MessageSchema kKeyValuesSchema = Message("KeyValueList", kKeyValuesFields);

}  // namespace spanloom::otlp
