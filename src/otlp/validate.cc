// SPDX-License-Identifier: Apache-2.0

#include "otlp/validate.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_format.h>

#include <string>

#include "base/check.h"
#include "otlp/ids.h"
#include "otlp/plain_attribute.h"
#include "otlp/schema.h"
#include "otlp/wire/cursor.h"

namespace spanloom::otlp {
namespace {

using wire::Cursor;

// One walk over a request. Stops at the first fault and remembers it; nothing is formatted before the walk is over.
class Walk {
 public:
  explicit Walk(std::string_view request) : request_(request) {}

  StatusOr<RequestStats> Run(const MessageSchema& schema) {
    if (!Message(request_, schema, 0)) return Error();
    return stats_;
  }

 private:
  enum class Fault : uint8_t { kMalformed, kWireType, kIdSize, kTooDeep };

  // `depth` counts the arrays and maps that enclose the message.
  bool Message(std::string_view message, const MessageSchema& schema, int depth) {
    uint32_t found = 0;  // bit n: a singular message with field number n
    Cursor cursor(message);
    while (cursor.Next()) {
      const FieldSchema& field = schema.Find(cursor.field());
      if (field.kind == FieldKind::kUnknown) continue;
      if (!Field(cursor, field, depth)) return NameField(message, cursor, field);
      if (field.kind == FieldKind::kMessage) {
        stats_.has_split_messages |= (found >> field.number & 1) != 0;
        found |= 1u << field.number;
      }
    }
    return cursor.ok() || Fail(Fault::kMalformed, message.data() + cursor.offset());
  }

  bool Field(const Cursor& cursor, const FieldSchema& field, int depth) {
    if (cursor.type() != WireType(field.kind)) {
      return IsPacked(field.kind) || Fail(Fault::kWireType, cursor.raw().data());
    }
    if (field.message != nullptr) return Submessage(cursor, field, depth);
    return IsSizeValid(field.kind, cursor.bytes().size()) || Fail(Fault::kIdSize, cursor.raw().data());
  }

  bool Submessage(const Cursor& cursor, const FieldSchema& field, int depth) {
    if (field.message == &kKeyValueSchema) {
      PlainAttribute attribute;
      if (attribute.Read(cursor.bytes()) && IsPlainValue(attribute.value)) [[likely]]
        return true;
    }
    if (field.message == &kArraySchema || field.message == &kKeyValuesSchema) ++depth;
    if (depth > kValueDepthMax) return Fail(Fault::kTooDeep, cursor.raw().data());
    stats_.spans += field.message->is_item ? 1 : 0;
    stats_.events += field.message == &kEventSchema ? 1 : 0;
    stats_.links += field.message == &kLinkSchema ? 1 : 0;
    return Message(cursor.bytes(), *field.message, depth);
  }

  static bool IsPacked(FieldKind kind) {
    return kind == FieldKind::kPackedFixed64 || kind == FieldKind::kPackedDouble || kind == FieldKind::kPackedUint64;
  }

  static bool IsSizeValid(FieldKind kind, size_t size) {
    if (kind == FieldKind::kPackedFixed64 || kind == FieldKind::kPackedDouble) return size % sizeof(uint64_t) == 0;
    if (kind == FieldKind::kTraceId) return size == 0 || size == sizeof(TraceId);
    if (kind == FieldKind::kSpanId) return size == 0 || size == sizeof(SpanId);
    return true;
  }

  bool Fail(Fault fault, const char* position) {
    fault_ = fault;
    offset_ = static_cast<size_t>(position - request_.data());
    return false;
  }

  // Puts the field that `cursor` is at in front of the path, on the way out of the messages around the fault.
  bool NameField(std::string_view message, const Cursor& cursor, const FieldSchema& field) {
    path_ = absl::StrFormat("%s%s%s%s", SnakeCase(field.json_name), Index(message, cursor, field),
                            path_.empty() ? "" : ".", path_);
    return false;
  }

  // "[3]" if it is the fourth field of its number; nothing for a field that may stand once.
  static std::string Index(std::string_view message, const Cursor& at, const FieldSchema& field) {
    if (field.kind != FieldKind::kRepeatedMessage && field.kind != FieldKind::kRepeatedString) return "";
    size_t index = 0;
    for (Cursor cursor(message); cursor.Next() && cursor.raw().data() != at.raw().data();) {
      index += cursor.field() == field.number ? 1 : 0;
    }
    return absl::StrFormat("[%d]", index);
  }

  static std::string SnakeCase(std::string_view camel) {
    std::string snake;
    for (const char c : camel) {
      if (absl::ascii_isupper(static_cast<unsigned char>(c))) snake.push_back('_');
      snake.push_back(absl::ascii_tolower(static_cast<unsigned char>(c)));
    }
    return snake;
  }

  [[nodiscard]] Status Error() const {
    return absl::InvalidArgumentError(absl::StrFormat("OTLP request: %s at byte %d of %d: %s",
                                                      path_.empty() ? "a field" : path_, offset_, request_.size(),
                                                      Describe()));
  }

  [[nodiscard]] std::string Describe() const {
    switch (fault_) {
      case Fault::kMalformed:
        return "a field here is malformed or cut short";
      case Fault::kWireType:
        return "the field has another wire type than opentelemetry/proto gives it";
      case Fault::kIdSize:
        return "a trace id must be 16 bytes, a span id 8, or empty; packed numbers a multiple of 8";
      case Fault::kTooDeep:
        return absl::StrFormat("the attribute value nests arrays and maps more than %d deep", kValueDepthMax);
    }
    CHECK(false);
  }

  std::string_view request_;
  RequestStats stats_;
  // The fault that ended the walk.
  Fault fault_ = Fault::kMalformed;
  std::string path_;   // of the innermost field that could be read
  size_t offset_ = 0;  // bytes from the start of the request
};

}  // namespace

StatusOr<RequestStats> ValidateTraces(std::string_view wire) {
  return Walk(wire).Run(kTracesSchema);
}

StatusOr<RequestStats> ValidateRequest(Signal signal, std::string_view wire) {
  return Walk(wire).Run(RequestSchema(signal));
}

}  // namespace spanloom::otlp
