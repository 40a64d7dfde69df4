// SPDX-License-Identifier: Apache-2.0

#include "otlp/validate.h"

#include <absl/strings/str_format.h>

#include <string>

#include "base/check.h"
#include "otlp/ids.h"
#include "otlp/schema.h"
#include "otlp/wire/cursor.h"

namespace spanloom::otlp {
namespace {

using wire::Cursor;

// One walk over a request. Stops at the first fault and remembers it; nothing is formatted before the walk is over.
class Walk {
 public:
  explicit Walk(std::string_view request) : request_(request) {}

  StatusOr<RequestStats> Run() {
    if (!Message(request_, kTracesSchema, 0)) return Error();
    return stats_;
  }

 private:
  enum class Fault : uint8_t { kMalformed, kWireType, kIdSize, kTooDeep };

  // `depth` counts the arrays and maps that enclose the message.
  bool Message(std::string_view message, const MessageSchema& schema, int depth) {
    Cursor cursor(message);
    while (cursor.Next()) {
      const FieldSchema& field = schema.Find(cursor.field());
      if (field.kind != FieldKind::kUnknown && !Field(cursor, schema, field, depth)) return false;
    }
    return cursor.ok() || Fail(Fault::kMalformed, schema, {}, message.data() + cursor.offset());
  }

  bool Field(const Cursor& cursor, const MessageSchema& schema, const FieldSchema& field, int depth) {
    const char* position = cursor.raw().data();
    if (cursor.type() != WireType(field.kind)) return Fail(Fault::kWireType, schema, field.json_name, position);
    if (field.message != nullptr) return Submessage(cursor, schema, field, depth);
    if (!IsSizeValid(field.kind, cursor.bytes().size())) return Fail(Fault::kIdSize, schema, field.json_name, position);
    return true;
  }

  bool Submessage(const Cursor& cursor, const MessageSchema& schema, const FieldSchema& field, int depth) {
    if (field.message == &kArraySchema || field.message == &kKeyValuesSchema) ++depth;
    if (depth > kValueDepthMax) return Fail(Fault::kTooDeep, schema, field.json_name, cursor.raw().data());
    stats_.spans += field.message == &kSpanSchema ? 1 : 0;
    stats_.events += field.message == &kEventSchema ? 1 : 0;
    stats_.links += field.message == &kLinkSchema ? 1 : 0;
    return Message(cursor.bytes(), *field.message, depth);
  }

  static bool IsSizeValid(FieldKind kind, size_t size) {
    if (kind == FieldKind::kTraceId) return size == 0 || size == sizeof(TraceId);
    if (kind == FieldKind::kSpanId) return size == 0 || size == sizeof(SpanId);
    return true;
  }

  bool Fail(Fault fault, const MessageSchema& message, std::string_view field, const char* position) {
    fault_ = fault;
    message_ = message.name;
    field_ = field;
    offset_ = static_cast<size_t>(position - request_.data());
    return false;
  }

  [[nodiscard]] Status Error() const {
    const std::string where = absl::StrFormat("%s%s%s at byte %d of %d", message_, field_.empty() ? "" : ".", field_,
                                              offset_, request_.size());
    return absl::InvalidArgumentError(absl::StrFormat("OTLP request: %s: %s", where, Describe()));
  }

  [[nodiscard]] std::string Describe() const {
    switch (fault_) {
      case Fault::kMalformed:
        return "the field here is malformed or cut short";
      case Fault::kWireType:
        return "the field has another wire type than opentelemetry/proto/trace/v1 gives it";
      case Fault::kIdSize:
        return "a trace id must be 16 bytes, a span id 8, or empty";
      case Fault::kTooDeep:
        return absl::StrFormat("the attribute value nests arrays and maps more than %d deep", kValueDepthMax);
    }
    CHECK(false);
  }

  std::string_view request_;
  RequestStats stats_;
  // The fault that ended the walk.
  Fault fault_ = Fault::kMalformed;
  std::string_view message_;
  std::string_view field_;  // empty if it could not be read
  size_t offset_ = 0;       // bytes from the start of the request
};

}  // namespace

StatusOr<RequestStats> ValidateTraces(std::string_view wire) {
  return Walk(wire).Run();
}

}  // namespace spanloom::otlp
