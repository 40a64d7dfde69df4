// SPDX-License-Identifier: Apache-2.0
//
// What senders write, and what it becomes:
//
//   any field       null                            absent; but an element of an array value becomes an empty value
//   any field       camelCase or snake_case key     the same field
//   any object      unknown key                     skipped, as is instrumentationLibrarySpans of OTLP before 0.15
//   any object      a key twice                     both are written: the last counts, messages are merged (merge.h)
//   ids             32 or 16 digits, either case    the bytes; "" becomes no id
//   64-bit integers 5, "5", 5.0, 5e0                5
//   intValue        integral, beyond 64 bits        doubleValue: the JavaScript SDK writes 1e+300 so
//   doubleValue     1, 1.5, "1.5"                   the number
//   doubleValue     "NaN", "Infinity", "-Infinity"  as they say; "Inf", "+Inf", "-Inf" as in Go
//   doubleValue     null                            NaN: JavaScript writes NaN and the infinities so
//   enums           2, 99, "SPAN_KIND_SERVER"       the number, known or not; an unknown name is an error
//   bytesValue      base64, URL-safe or not         the bytes, padded or not
//   value           {}                              the empty value
//   strings         "\ud83d", invalid UTF-8        U+FFFD (repair.h)

#include "otlp/json/transcode.h"

#include <absl/numeric/int128.h>
#include <absl/strings/escaping.h>
#include <absl/strings/str_format.h>
#include <absl/strings/string_view.h>
#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "otlp/ids.h"
#include "otlp/json/repair.h"
#include "otlp/schema.h"
#include "otlp/validate.h"
#include "otlp/wire/writer.h"

namespace spanloom::otlp {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;
using wire::Writer;

constexpr uint32_t kDoubleValueField = 4;  // AnyValue.double_value
constexpr size_t kExcerptMax = 40;         // bytes of a sender's string that an error repeats
constexpr size_t kCapacityMin = 64;        // bytes; simdjson takes no smaller capacity
constexpr size_t kKeptBodyMax = 2 << 20;   // bytes; for larger bodies memory is given back. 32 MiB a thread; guess
constexpr double kTwoTo64 = 0x1p64;

// Debian's Abseil has a string_view type of its own.
absl::string_view Absl(std::string_view text) {
  return {text.data(), text.size()};
}

std::string Join(std::span<const std::string_view> names) {
  std::string joined;
  for (const std::string_view name : names) joined.append(joined.empty() ? "" : ", ").append(name);
  return joined;
}

// True if `key` is the snake_case form of `camel`: start_time_unix_nano for startTimeUnixNano.
bool IsSnakeCaseOf(std::string_view key, std::string_view camel) {
  size_t i = 0;
  for (const char c : camel) {
    const bool is_upper = c >= 'A' && c <= 'Z';
    if (is_upper && (i == key.size() || key[i++] != '_')) return false;
    if (i == key.size() || key[i++] != (is_upper ? static_cast<char>(c - 'A' + 'a') : c)) return false;
  }
  return i == key.size();
}

// The field that `key` names, or null. Senders write camelCase, nearly all.
const FieldSchema* FindField(const MessageSchema& message, std::string_view key) {
  for (const FieldSchema& field : message.fields) {
    if (key == field.json_name && field.kind != FieldKind::kUnknown) return &field;
  }
  for (const FieldSchema& field : message.fields) {
    if (field.kind != FieldKind::kUnknown && IsSnakeCaseOf(key, field.json_name)) return &field;
  }
  return nullptr;
}

template <typename T>
std::optional<T> ParseNumber(std::string_view text) {
  T value{};
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<absl::int128> ToInteger(double value) {
  if (std::trunc(value) != value || std::abs(value) >= kTwoTo64) return std::nullopt;
  return absl::int128(value);
}

std::optional<absl::int128> ToInteger(std::string_view text) {
  if (const auto value = ParseNumber<int64_t>(text)) return *value;
  if (const auto value = ParseNumber<uint64_t>(text)) return *value;
  return std::nullopt;
}

// The integer that a number or a string stands for; nullopt if it is none, or beyond (-2^64, 2^64).
std::optional<absl::int128> ToInteger(const element& value) {
  switch (value.type()) {
    case element_type::INT64:
      return value.get_int64().value_unsafe();
    case element_type::UINT64:
      return value.get_uint64().value_unsafe();
    case element_type::DOUBLE:
      return ToInteger(value.get_double().value_unsafe());
    case element_type::STRING:
      return ToInteger(value.get_string().value_unsafe());
    default:
      return std::nullopt;
  }
}

template <typename T>
bool Holds(const std::optional<absl::int128>& integer) {
  return integer && *integer >= std::numeric_limits<T>::min() && *integer <= std::numeric_limits<T>::max();
}

std::optional<double> ToDouble(std::string_view text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity" || text == "Inf" || text == "+Inf") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity" || text == "-Inf") return -std::numeric_limits<double>::infinity();
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  if (digits.empty() || digits[0] < '0' || digits[0] > '9') return std::nullopt;  // from_chars would take "inf"
  return ParseNumber<double>(text);
}

std::optional<double> ToDouble(const element& value) {
  switch (value.type()) {
    case element_type::NULL_VALUE:
      return std::numeric_limits<double>::quiet_NaN();
    case element_type::INT64:
    case element_type::UINT64:
    case element_type::DOUBLE:
      return value.get_double().value_unsafe();
    case element_type::STRING:
      return ToDouble(value.get_string().value_unsafe());
    default:
      return std::nullopt;
  }
}

std::optional<uint64_t> ToEnum(const element& value, std::span<const std::string_view> names) {
  if (value.is_string()) {
    const std::string_view name = value.get_string().value_unsafe();
    const auto it = std::find(names.begin(), names.end(), name);
    if (it == names.end()) return std::nullopt;
    return it - names.begin();
  }
  const auto number = ToInteger(value);
  if (!Holds<int32_t>(number)) return std::nullopt;
  return static_cast<uint64_t>(static_cast<int64_t>(*number));  // protobuf extends the sign to 64 bits
}

std::string Describe(const element& value) {
  switch (value.type()) {
    case element_type::ARRAY:
      return "an array";
    case element_type::OBJECT:
      return "an object";
    case element_type::STRING: {
      const std::string_view text = value.get_string().value_unsafe();
      const std::string_view tail = text.size() > kExcerptMax ? "..." : "";
      return absl::StrFormat("\"%s%s\"", absl::CHexEscape(Absl(text.substr(0, kExcerptMax))), tail);
    }
    default:
      return simdjson::to_string(value);
  }
}

// Writes one document as protobuf. Every writer returns false at the first fault; the callers then put the path
// together on the way out.
class Transcoder {
 public:
  explicit Transcoder(size_t json_bytes) { out_.reserve(json_bytes / 2); }

  StatusOr<std::string> Run(const element& document, const MessageSchema& schema) {
    if (Object(document, schema, 0)) return std::move(out_);
    const std::string_view path = path_.empty() ? "body" : std::string_view(path_).substr(1);
    return absl::InvalidArgumentError(absl::StrFormat("OTLP/JSON request: %s: %s", path, fault_));
  }

 private:
  bool Fail(std::string_view expected, const element& found) {
    fault_ = absl::StrFormat("expected %s, found %s", expected, Describe(found));
    return false;
  }

  // `depth` counts the array and map values that enclose the object.
  bool Object(const element& value, const MessageSchema& message, int depth) {
    simdjson::dom::object object;
    if (value.get(object) != simdjson::SUCCESS) return Fail("an object", value);
    for (const auto& [key, child] : object) {
      const FieldSchema* field = FindField(message, key);
      if (field != nullptr && !Field(child, *field, depth)) {
        path_ = absl::StrFormat(".%s%s", key, path_);
        return false;
      }
    }
    return true;
  }

  bool Field(const element& value, const FieldSchema& field, int depth) {
    if (value.is_null() && field.kind != FieldKind::kDouble) return true;
    switch (field.kind) {
      case FieldKind::kMessage:
        return Message(value, field, depth);
      case FieldKind::kRepeatedMessage:
        return Messages(value, field, depth);
      case FieldKind::kString:
        return String(value, field);
      case FieldKind::kRepeatedString:
        return Strings(value, field);
      case FieldKind::kBytes:
        return Base64(value, field);
      case FieldKind::kTraceId:
        return HexId(value, field, ParseTraceId, "32 hexadecimal digits");
      case FieldKind::kSpanId:
        return HexId(value, field, ParseSpanId, "16 hexadecimal digits");
      case FieldKind::kBool:
        return Bool(value, field);
      case FieldKind::kDouble:
        return Double(value, field);
      case FieldKind::kInt64:
        return Int64(value, field);
      case FieldKind::kEnum:
        return Enum(value, field);
      case FieldKind::kSfixed64:
      case FieldKind::kSint32:
        return Signed(value, field);
      case FieldKind::kPackedFixed64:
      case FieldKind::kPackedDouble:
      case FieldKind::kPackedUint64:
        return Packed(value, field);
      default:
        return Unsigned(value, field);
    }
  }

  bool Message(const element& value, const FieldSchema& field, int depth) {
    if (field.message == &kArraySchema || field.message == &kKeyValuesSchema) ++depth;
    if (depth > kValueDepthMax) {
      return Fail(absl::StrFormat("at most %d nested arrays and maps", kValueDepthMax), value);
    }
    const Writer::Mark mark = writer_.Begin(field.number);
    if (!Object(value, *field.message, depth)) return false;
    writer_.End(mark);
    return true;
  }

  bool Messages(const element& value, const FieldSchema& field, int depth) {
    return Elements(value, [&](const element& child) { return Element(child, field, depth); });
  }

  bool Strings(const element& value, const FieldSchema& field) {
    return Elements(value, [&](const element& child) { return child.is_null() || String(child, field); });
  }

  template <typename WriteElement>
  bool Elements(const element& value, WriteElement write_element) {
    simdjson::dom::array array;
    if (value.get(array) != simdjson::SUCCESS) return Fail("an array", value);
    size_t index = 0;
    for (const element& child : array) {
      if (!write_element(child)) {
        path_ = absl::StrFormat("[%d]%s", index, path_);
        return false;
      }
      ++index;
    }
    return true;
  }

  // Among values a null keeps its place, for [1, null, 3] must not become [1, 3].
  bool Element(const element& value, const FieldSchema& field, int depth) {
    if (!value.is_null()) return Message(value, field, depth);
    if (field.message == &kValueSchema) writer_.Bytes(field.number, {});
    return true;
  }

  bool String(const element& value, const FieldSchema& field) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) return Fail("a string", value);
    writer_.Bytes(field.number, text);
    return true;
  }

  bool Base64(const element& value, const FieldSchema& field) {
    std::string_view text;
    std::string bytes;
    if (value.get(text) != simdjson::SUCCESS) return Fail("a string in base64", value);
    if (!absl::Base64Unescape(Absl(text), &bytes) && !absl::WebSafeBase64Unescape(Absl(text), &bytes)) {
      return Fail("base64", value);
    }
    writer_.Bytes(field.number, bytes);
    return true;
  }

  template <typename Id>
  bool HexId(const element& value, const FieldSchema& field, std::optional<Id> (*parse)(std::string_view),
             std::string_view expected) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) return Fail(expected, value);
    if (text.empty()) return true;
    const auto id = parse(text);
    if (!id || text.size() != 2 * sizeof(Id)) return Fail(expected, value);
    writer_.Bytes(field.number, id->view());
    return true;
  }

  bool Bool(const element& value, const FieldSchema& field) {
    bool truth = false;
    if (value.get(truth) != simdjson::SUCCESS) return Fail("true or false", value);
    writer_.Varint(field.number, truth ? 1 : 0);
    return true;
  }

  bool Double(const element& value, const FieldSchema& field) {
    const auto number = ToDouble(value);
    if (!number) return Fail("a number, \"NaN\", \"Infinity\" or \"-Infinity\"", value);
    writer_.Double(field.number, *number);
    return true;
  }

  bool Int64(const element& value, const FieldSchema& field) {
    const auto integer = ToInteger(value);
    if (Holds<int64_t>(integer)) {
      writer_.Varint(field.number, static_cast<uint64_t>(static_cast<int64_t>(*integer)));
      return true;
    }
    const auto number = value.is_string() ? std::nullopt : ToDouble(value);
    if (!number || std::trunc(*number) != *number) return Fail("a 64-bit integer", value);
    writer_.Double(kDoubleValueField, *number);
    return true;
  }

  bool Enum(const element& value, const FieldSchema& field) {
    const auto number = ToEnum(value, field.enum_names);
    if (!number) return Fail("a 32-bit integer or one of " + Join(field.enum_names), value);
    writer_.Varint(field.number, *number);
    return true;
  }

  bool Unsigned(const element& value, const FieldSchema& field) {
    const auto integer = ToInteger(value);
    if (field.kind == FieldKind::kFixed64) {
      if (!Holds<uint64_t>(integer)) return Fail("an unsigned 64-bit integer", value);
      writer_.Fixed64(field.number, static_cast<uint64_t>(*integer));
      return true;
    }
    if (!Holds<uint32_t>(integer)) return Fail("an unsigned 32-bit integer", value);
    if (field.kind == FieldKind::kFixed32) {
      writer_.Fixed32(field.number, static_cast<uint32_t>(*integer));
    } else {
      writer_.Varint(field.number, static_cast<uint64_t>(*integer));
    }
    return true;
  }

  bool Signed(const element& value, const FieldSchema& field) {
    const auto integer = ToInteger(value);
    if (field.kind == FieldKind::kSfixed64) {
      if (!Holds<int64_t>(integer)) return Fail("a 64-bit integer", value);
      writer_.Fixed64(field.number, static_cast<uint64_t>(static_cast<int64_t>(*integer)));
      return true;
    }
    if (!Holds<int32_t>(integer)) return Fail("a 32-bit integer", value);
    const auto number = static_cast<int32_t>(*integer);
    writer_.Varint(field.number, static_cast<uint32_t>(number) << 1 ^ static_cast<uint32_t>(number >> 31));  // zigzag
    return true;
  }

  bool Packed(const element& value, const FieldSchema& field) {
    std::string numbers;
    Writer writer(numbers);
    const auto write = [&](const element& child) {
      if (field.kind == FieldKind::kPackedDouble) {
        const auto number = ToDouble(child);
        if (!number) return Fail("a number", child);
        writer.PackedFixed64(std::bit_cast<uint64_t>(*number));
        return true;
      }
      const auto integer = ToInteger(child);
      if (!Holds<uint64_t>(integer)) return Fail("an unsigned 64-bit integer", child);
      const auto number = static_cast<uint64_t>(*integer);
      field.kind == FieldKind::kPackedFixed64 ? writer.PackedFixed64(number) : writer.PackedVarint(number);
      return true;
    };
    if (!Elements(value, write)) return false;
    writer_.Bytes(field.number, numbers);
    return true;
  }

  std::string out_;
  Writer writer_{out_};
  // Set by the first fault.
  std::string fault_;
  std::string path_;  // each part begins with "." or "["
};

// What parsing takes, kept from one body to the next: a large body costs page faults for ten times its size otherwise.
class Parser {
 public:
  // The root of the document, which lives until the next call.
  StatusOr<element> Parse(std::string_view json) {
    element document;
    RETURN_IF_ERROR(Fit(json.size()));
    if (TryParse(json, document) == simdjson::SUCCESS) return document;
    ASSIGN_OR_RETURN(const std::string repaired, RepairJson(json));
    RETURN_IF_ERROR(Fit(repaired.size()));
    const simdjson::error_code error = TryParse(repaired, document);
    if (error == simdjson::SUCCESS) return document;
    return absl::InvalidArgumentError(absl::StrFormat("not JSON: %s", simdjson::error_message(error)));
  }

 private:
  Status Fit(size_t size) {
    if (parser_.capacity() >= size && parser_.capacity() > 0) return absl::OkStatus();
    if (parser_.allocate(std::max(size, kCapacityMin), kJsonDepthMax) == simdjson::SUCCESS) return absl::OkStatus();
    return absl::ResourceExhaustedError(absl::StrFormat("no memory to parse %d bytes of JSON", size));
  }

  simdjson::error_code TryParse(std::string_view json, element& document) {
    padded_.clear();
    padded_.reserve(json.size() + simdjson::SIMDJSON_PADDING);
    padded_.append(json);
    return parser_.parse(padded_.data(), padded_.size(), false).get(document);
  }

  simdjson::dom::parser parser_;
  std::string padded_;  // the body, with the room behind it that simdjson may read
};

}  // namespace

StatusOr<std::string> TranscodeTracesJson(std::string_view json) {
  return TranscodeJson(Signal::kTraces, json);
}

StatusOr<std::string> TranscodeJson(Signal signal, std::string_view json) {
  if (json.empty()) return absl::InvalidArgumentError("not JSON at byte 0 of 0: the body is empty");
  if (json.size() > kKeptBodyMax) {
    Parser parser;
    ASSIGN_OR_RETURN(const element document, parser.Parse(json));
    return Transcoder(json.size()).Run(document, RequestSchema(signal));
  }
  static thread_local Parser parser;
  ASSIGN_OR_RETURN(const element document, parser.Parse(json));
  return Transcoder(json.size()).Run(document, RequestSchema(signal));
}

}  // namespace spanloom::otlp
