// SPDX-License-Identifier: Apache-2.0

#include "otlp/json/write.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/json_writer.h"
#include "base/shortest_double.h"
#include "otlp/fields.h"
#include "otlp/schema.h"
#include "otlp/wire/cursor.h"

namespace spanloom::otlp {
namespace {

using wire::Cursor;

// What a message has of one field.
struct Found {
  const char* first = nullptr;  // where its first occurrence begins; null if there is none
  std::string_view bytes;       // of its last occurrence
  uint64_t scalar = 0;          // of its last occurrence
};

class RequestJson {
 public:
  explicit RequestJson(std::string& out) : json_(out) {}

  void Run(const Batch& batch) {
    const FieldSchema& resources = RequestSchema(batch.signal()).Find(field::Request::kResourceSpans);
    json_.BeginObject();
    json_.Key(resources.json_name);
    json_.BeginArray();
    for (const Slice& slice : batch.slices()) {
      if (slice.span_count() == 0) continue;
      const Bytes request = Batch(slice).Encode();
      Elements(request.view(), resources);
    }
    json_.EndArray();
    json_.EndObject();
  }

 private:
  using Fields = std::array<Found, kFieldNumberMax + 1>;  // [field number]; of number 0 the unknown ones

  void Message(std::string_view message, const MessageSchema& schema) {
    json_.BeginObject();
    if (&schema == &kValueSchema) {
      Value(message);
    } else {
      const Fields fields = Find(message, schema);
      for (const FieldSchema& field : schema.json_fields) {
        const Found& found = fields[field.number];
        if (found.first != nullptr || field.is_always_written) Field(message, found, field);
      }
    }
    json_.EndObject();
  }

  static Fields Find(std::string_view message, const MessageSchema& schema) {
    Fields fields;
    for (Cursor cursor(message); cursor.Next();) {
      Found& found = fields[schema.Find(cursor.field()).number];
      if (found.first == nullptr) found.first = cursor.raw().data();
      // A cursor has only the value of the field's type.
      const bool is_bytes = cursor.type() == wire::Type::kBytes;
      found.bytes = is_bytes ? cursor.bytes() : std::string_view();
      found.scalar = is_bytes ? 0 : cursor.scalar();
    }
    return fields;
  }

  // The kind that was set last, be it with its default value.
  void Value(std::string_view message) {
    Cursor last;
    for (Cursor cursor(message); cursor.Next();) {
      if (kValueSchema.Find(cursor.field()).kind != FieldKind::kUnknown) last = cursor;
    }
    const FieldSchema& field = kValueSchema.Find(last.field());
    if (field.kind == FieldKind::kUnknown) return;
    json_.Key(field.json_name);
    Single(last.bytes(), last.scalar(), field);
  }

  void Field(std::string_view message, const Found& found, const FieldSchema& field) {
    const bool is_repeated = field.kind == FieldKind::kRepeatedMessage || field.kind == FieldKind::kRepeatedString;
    const bool is_default = !is_repeated && field.message == nullptr && IsDefault(found, field);
    if (is_default && !field.has_presence) return;
    json_.Key(field.json_name);
    if (is_repeated) {
      Array(message.substr(static_cast<size_t>(found.first - message.data())), field);
    } else {
      Single(found.bytes, found.scalar, field);
    }
  }

  static bool IsDefault(const Found& found, const FieldSchema& field) {
    const bool is_id = field.kind == FieldKind::kTraceId || field.kind == FieldKind::kSpanId;
    if (is_id) return found.bytes.find_first_not_of('\0') == std::string_view::npos;
    return found.bytes.empty() && found.scalar == 0;
  }

  // `rest` begins with the first element.
  void Array(std::string_view rest, const FieldSchema& field) {
    json_.BeginArray();
    Elements(rest, field);
    json_.EndArray();
  }

  void Elements(std::string_view rest, const FieldSchema& field) {
    for (Cursor cursor(rest); cursor.Next();) {
      if (cursor.field() == field.number) Single(cursor.bytes(), 0, field);
    }
  }

  void Single(std::string_view bytes, uint64_t scalar, const FieldSchema& field) {
    switch (field.kind) {
      case FieldKind::kMessage:
      case FieldKind::kRepeatedMessage:
        return Message(bytes, *field.message);
      case FieldKind::kString:
      case FieldKind::kRepeatedString:
        return json_.String(bytes);
      case FieldKind::kBytes:
        return json_.Base64(bytes);
      case FieldKind::kTraceId:
      case FieldKind::kSpanId:
        return json_.Hex(bytes);
      case FieldKind::kBool:
        return json_.Bool(scalar != 0);
      case FieldKind::kInt64:
      case FieldKind::kSfixed64:
        return Digits(static_cast<int64_t>(scalar));
      case FieldKind::kFixed64:
        return Digits(scalar);
      case FieldKind::kDouble:
        return Double(std::bit_cast<double>(scalar));
      case FieldKind::kEnum:
        return json_.Int(static_cast<int32_t>(scalar));
      case FieldKind::kUint32:
      case FieldKind::kFixed32:
        return json_.Uint(static_cast<uint32_t>(scalar));
      case FieldKind::kSint32:
        return json_.Int(
            static_cast<int32_t>(static_cast<uint32_t>(scalar) >> 1 ^ -(static_cast<uint32_t>(scalar) & 1)));
      case FieldKind::kPackedFixed64:
      case FieldKind::kPackedDouble:
        return PackedFixed(bytes, field);
      case FieldKind::kPackedUint64:
        return PackedVarints(bytes);
      case FieldKind::kUnknown:
        return;
    }
  }

  void PackedFixed(std::string_view numbers, const FieldSchema& field) {
    json_.BeginArray();
    for (; numbers.size() >= sizeof(uint64_t); numbers.remove_prefix(sizeof(uint64_t))) {
      uint64_t number = 0;
      std::memcpy(&number, numbers.data(), sizeof(number));
      field.kind == FieldKind::kPackedDouble ? Double(std::bit_cast<double>(number)) : Digits(number);
    }
    json_.EndArray();
  }

  void PackedVarints(std::string_view numbers) {
    json_.BeginArray();
    for (wire::PackedVarints varints(numbers); varints.Next();) Digits(varints.value());
    json_.EndArray();
  }

  // Readers take the number -0 for an integer, which has no sign; in a string it is kept.
  void Double(double value) {
    if (value == 0 && std::signbit(value)) return json_.String("-0");
    if (!std::isfinite(value)) return json_.Double(value);
    number_.clear();
    AppendShortest(value, DoubleForm::kJson, number_);
    json_.Raw(number_);
  }

  template <typename Integer>
  void Digits(Integer value) {
    char digits[24];  // 20 for 64 bits with a sign
    const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
    json_.String({digits, static_cast<size_t>(end - digits)});
  }

  JsonWriter json_;
  std::string number_;  // of a double, reused
};

}  // namespace

void WriteJson(const Batch& batch, std::string& out) {
  RequestJson(out).Run(batch);
}

}  // namespace spanloom::otlp
