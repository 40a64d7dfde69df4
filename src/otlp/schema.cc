// SPDX-License-Identifier: Apache-2.0

#include "otlp/schema.h"

#include "otlp/fields.h"

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
    Many(field::Request::kResourceSpans, "resourceSpans", kResourceSpansSchema),
};

constexpr FieldSchema kResourceSpansFields[] = {
    One(field::ResourceSpans::kResource, "resource", kResourceSchema),
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
    One(field::ScopeSpans::kScope, "scope", kScopeSchema),
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
    One(field::Span::kStatus, "status", kStatusSchema),
    Scalar(field::Span::kFlags, kFixed32, "flags"),
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
    One(field::KeyValue::kValue, "value", kValueSchema),
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

}  // namespace

constinit const MessageSchema kTracesSchema = Message("ExportTraceServiceRequest", kTracesFields);
constinit const MessageSchema kResourceSpansSchema = Message("ResourceSpans", kResourceSpansFields);
constinit const MessageSchema kResourceSchema = Message("Resource", kResourceFields);
constinit const MessageSchema kEntityRefSchema = Message("EntityRef", kEntityRefFields);
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
