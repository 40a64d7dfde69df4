// SPDX-License-Identifier: Apache-2.0
//
// The messages of OTLP requests as a table: what validate.cc checks and what json/transcode.cc translates.
// Field numbers: fields.h, whose sources are those of the JSON names.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "otlp/signal.h"
#include "otlp/wire/cursor.h"

namespace spanloom::otlp {

// kUnknown: no such field in OTLP; it is passed on unread.
enum class FieldKind : uint8_t {
  kUnknown,
  kMessage,
  kRepeatedMessage,
  kString,
  kRepeatedString,
  kBytes,
  kTraceId,
  kSpanId,
  kBool,
  kInt64,
  kDouble,
  kUint32,
  kEnum,
  kFixed64,
  kFixed32,
  kSfixed64,
  kSint32,
  // Repeated numbers. They travel packed; those that do not are passed on unread.
  kPackedFixed64,
  kPackedDouble,
  kPackedUint64,
};

// The wire type in which a field of `kind` travels. `kind` is not kUnknown.
constexpr wire::Type WireType(FieldKind kind) {
  switch (kind) {
    case FieldKind::kBool:
    case FieldKind::kInt64:
    case FieldKind::kUint32:
    case FieldKind::kEnum:
    case FieldKind::kSint32:
      return wire::Type::kVarint;
    case FieldKind::kDouble:
    case FieldKind::kFixed64:
    case FieldKind::kSfixed64:
      return wire::Type::kFixed64;
    case FieldKind::kFixed32:
      return wire::Type::kFixed32;
    default:
      return wire::Type::kBytes;
  }
}

struct MessageSchema;

struct FieldSchema {
  uint32_t number = 0;
  FieldKind kind = FieldKind::kUnknown;
  std::string_view json_name;                         // camelCase
  const MessageSchema* message = nullptr;             // of kMessage and kRepeatedMessage
  std::span<const std::string_view> enum_names = {};  // of kEnum; [value]
  // Whether one that is there with its default value says something: a number that may be missing or was measured, a
  // kind that was chosen.
  bool has_presence = false;
  // Whether JSON has a message of it even where there is none, as the Collector writes it.
  bool is_always_written = false;
};

inline constexpr size_t kFieldNumberMax = 16;  // Span.flags

struct MessageSchema {
  std::string_view name;
  std::array<FieldSchema, kFieldNumberMax + 1> fields;  // [field number]; kUnknown where there is none
  std::span<const FieldSchema> json_fields;             // the same in the order in which the Collector writes them
  bool is_item = false;  // what is counted of its signal: a span, a data point, a log record

  // The field of that number, or an unknown one.
  [[nodiscard]] const FieldSchema& Find(uint32_t number) const {
    return fields[number <= kFieldNumberMax ? number : 0];
  }
};

// ExportTraceServiceRequest, and what it is made of.
extern const MessageSchema kTracesSchema;
extern const MessageSchema kResourceSpansSchema;
extern const MessageSchema kResourceSchema;
extern const MessageSchema kEntityRefSchema;
extern const MessageSchema kScopeSpansSchema;
extern const MessageSchema kScopeSchema;
extern const MessageSchema kSpanSchema;
extern const MessageSchema kEventSchema;
extern const MessageSchema kLinkSchema;
extern const MessageSchema kStatusSchema;
extern const MessageSchema kKeyValueSchema;
extern const MessageSchema kValueSchema;
extern const MessageSchema kArraySchema;
extern const MessageSchema kKeyValuesSchema;
extern const MessageSchema kMetricsSchema;  // ExportMetricsServiceRequest
extern const MessageSchema kLogsSchema;     // ExportLogsServiceRequest

// What a request of `signal` is.
const MessageSchema& RequestSchema(Signal signal);

}  // namespace spanloom::otlp
