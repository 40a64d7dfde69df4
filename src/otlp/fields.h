// SPDX-License-Identifier: Apache-2.0
//
// The field numbers of an OTLP trace request, each said once for all code that reads or writes the wire form.
// Source: proto/opentelemetry/ of this repository, which declares the messages of OTLP 1.x.

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

}  // namespace spanloom::otlp::field
