// SPDX-License-Identifier: Apache-2.0
//
// Converters that ask for the type of a value or change it.

#include <absl/strings/escaping.h>
#include <absl/strings/str_format.h>

#include <bit>
#include <cmath>
#include <cstring>

#include "base/text.h"
#include "ottl/function_table.h"
#include "ottl/text_format.h"

namespace spanloom::ottl {
namespace {

using Kind = Value::Kind;
using Type = ParameterType;

constexpr Parameter kValue = {"target", Type::kAny};

template <Kind kKind>
Value Is(Evaluation&, const Arguments& a) {
  return Value::Bool(a[0].is(kKind));
}

Value IsEmpty(Evaluation&, const Arguments& a) {
  const Value& value = a[0];
  switch (value.kind()) {
    case Kind::kNil:
      return Value::Bool(true);
    case Kind::kString:
    case Kind::kBytes:
      return Value::Bool(value.text().empty());
    case Kind::kTraceId:
    case Kind::kSpanId:
      return Value::Bool(value.text().find_first_not_of('\0') == std::string_view::npos);
    case Kind::kList:
    case Kind::kMap:
      return Value::Bool(CountOf(value) == 0);
    case Kind::kDouble:
      return Value::Bool(value.double_value() == 0);
    case Kind::kTime:
      return Value::Bool(false);  // Go's zero time is the year 1, which no span has
    default:
      return Value::Bool(value.int_value() == 0);
  }
}

Value IsRootSpan(Evaluation& e, const Arguments&) {
  return Value::Bool(e.scene().span().parent_span_id().IsZero());
}

// Go's conversion of a double that does not fit is the machine's; here it saturates, and NaN is 0.
int64_t Truncated(double value) {
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  if (std::isnan(value)) return 0;
  if (value >= kLimit) return INT64_MAX;
  return value < -kLimit ? INT64_MIN : static_cast<int64_t>(value);
}

Value ToInt(Evaluation&, const Arguments& a) {
  const Value& value = a[0];
  switch (value.kind()) {
    case Kind::kInt:
      return value;
    case Kind::kDouble:
      return Value::Int(Truncated(value.double_value()));
    case Kind::kBool:
      return Value::Int(value.bool_value() ? 1 : 0);
    case Kind::kString: {
      const auto number = ParseInteger(value.text());
      return number ? Value::Int(*number) : Value();
    }
    default:
      return {};
  }
}

Value ToDouble(Evaluation&, const Arguments& a) {
  const auto number = LikeDouble(a[0]);
  return number ? Value::Double(*number) : Value();
}

Value ToBool(Evaluation&, const Arguments& a) {
  const Value& value = a[0];
  if (value.is(Kind::kBool)) return value;
  if (value.is(Kind::kInt)) return Value::Bool(value.int_value() != 0);
  if (value.is(Kind::kDouble)) return Value::Bool(value.double_value() != 0);
  if (!value.is(Kind::kString)) return {};
  // Go's strconv.ParseBool.
  for (const std::string_view word : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (value.text() == word) return Value::Bool(true);
  }
  for (const std::string_view word : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (value.text() == word) return Value::Bool(false);
  }
  return {};
}

Value ToText(Evaluation&, const Arguments& a) {
  return a[0];
}

std::string BigEndian(uint64_t bits) {
  std::string bytes(sizeof bits, '\0');
  for (size_t i = 0; i < sizeof bits; ++i) bytes[i] = static_cast<char>(bits >> (56 - 8 * i));
  return bytes;
}

Value Hex(Evaluation& e, const Arguments& a) {
  const Value& value = a[0];
  const auto hex = [&e](std::string_view bytes) { return e.NewString(absl::BytesToHexString(AbslView(bytes))); };
  switch (value.kind()) {
    case Kind::kString:
    case Kind::kBytes:
    case Kind::kTraceId:
    case Kind::kSpanId:
      return hex(value.text());
    case Kind::kBool:
      return hex(std::string(1, value.bool_value() ? '\1' : '\0'));
    case Kind::kInt:
      return hex(BigEndian(static_cast<uint64_t>(value.int_value())));
    case Kind::kDouble:
      return hex(BigEndian(std::bit_cast<uint64_t>(value.double_value())));
    default:
      return e.Fail(StrCat("Hex: unsupported type: ", value.type_name()));
  }
}

// The id of `kSize` bytes that bytes or a string of hexadecimal digits spell.
template <size_t kSize, Value (*kMake)(std::string_view)>
Value Id(Evaluation& e, const Arguments& a) {
  const Value& value = a[0];
  if (value.is(Kind::kBytes) && value.text().size() == kSize) return kMake(value.text());
  const std::string_view digits = value.text();
  const bool is_hex = value.is(Kind::kString) && digits.size() == 2 * kSize &&
                      digits.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
  if (is_hex) return kMake(e.arena().Copy(absl::HexStringToBytes(AbslView(digits))));
  return e.Fail(StrCat("an id needs ", kSize, " bytes or ", 2 * kSize, " hexadecimal digits"));
}

constexpr Function kFunctions[] = {
    {"IsBool", {kValue}, Is<Kind::kBool>},
    {"IsDouble", {kValue}, Is<Kind::kDouble>},
    {"IsInt", {kValue}, Is<Kind::kInt>},
    {"IsList", {kValue}, Is<Kind::kList>},
    {"IsMap", {kValue}, Is<Kind::kMap>},
    {"IsString", {kValue}, Is<Kind::kString>},
    {"IsEmpty", {kValue}, IsEmpty},
    {.name = "IsRootSpan", .call = IsRootSpan, .is_pure = false},
    {"Int", {kValue}, ToInt},
    {"Double", {kValue}, ToDouble},
    {"Bool", {kValue}, ToBool},
    {"String", {Parameter{"target", Type::kStringLike}}, ToText},
    {"Hex", {kValue}, Hex},
    {"TraceID", {kValue}, Id<16, Value::TraceId>},
    {"SpanID", {kValue}, Id<8, Value::SpanId>},
    {"ProfileID", {kValue}, Id<16, Value::Bytes>},
};

}  // namespace

std::span<const Function> TypeConverters() {
  return kFunctions;
}

}  // namespace spanloom::ottl
