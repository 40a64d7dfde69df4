// SPDX-License-Identifier: Apache-2.0

#include "ottl/function.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "base/text.h"
#include "ottl/lexer.h"
#include "ottl/text_format.h"

namespace spanloom::ottl {
namespace {

using Kind = Value::Kind;

std::string_view WantedName(ParameterType type) {
  switch (type) {
    case ParameterType::kInt:
      return "int64";
    case ParameterType::kDouble:
      return "float64";
    case ParameterType::kBool:
      return "bool";
    case ParameterType::kList:
      return "pcommon.Slice";
    case ParameterType::kMap:
      return "pcommon.Map";
    case ParameterType::kTime:
      return "time.Time";
    case ParameterType::kDuration:
      return "time.Duration";
    default:
      return "string";
  }
}

// The kind that a parameter takes without conversion; nullopt if it takes any.
std::optional<Kind> KindOf(ParameterType type) {
  switch (type) {
    case ParameterType::kString:
      return Kind::kString;
    case ParameterType::kInt:
      return Kind::kInt;
    case ParameterType::kDouble:
      return Kind::kDouble;
    case ParameterType::kBool:
      return Kind::kBool;
    case ParameterType::kList:
      return Kind::kList;
    case ParameterType::kMap:
      return Kind::kMap;
    case ParameterType::kTime:
      return Kind::kTime;
    case ParameterType::kDuration:
      return Kind::kDuration;
    default:
      return std::nullopt;
  }
}

Value Unsupported(Evaluation& e, const Value& value) {
  return e.Fail(StrCat("unsupported type: ", value.type_name()));
}

Value ToStringLike(Evaluation& e, const Value& value) {
  const auto text = LikeString(e, value);
  return text ? Value::String(*text) : Unsupported(e, value);
}

Value ToIntLike(Evaluation& e, const Value& value) {
  switch (value.kind()) {
    case Kind::kInt:
      return value;
    case Kind::kDouble:
      return Value::Int(TruncateDouble(value.double_value()));
    case Kind::kBool:
      return Value::Int(value.bool_value() ? 1 : 0);
    case Kind::kString: {
      const auto number = ParseInteger(value.text());
      return number ? Value::Int(*number) : Value();
    }
    default:
      return Unsupported(e, value);
  }
}

Value ToDoubleLike(Evaluation& e, const Value& value) {
  if (const auto number = LikeDouble(value)) return Value::Double(*number);
  if (!value.is(Kind::kString)) return Unsupported(e, value);
  return e.Fail(StrCat("strconv.ParseFloat: parsing ", Quoted(value.text()), ": invalid syntax"));
}

Value ToBoolLike(Evaluation& e, const Value& value) {
  switch (value.kind()) {
    case Kind::kBool:
      return value;
    case Kind::kInt:
      return Value::Bool(value.int_value() != 0);
    case Kind::kDouble:
      return Value::Bool(value.double_value() != 0);
    case Kind::kString:
      if (const auto parsed = ParseBool(value.text())) return Value::Bool(*parsed);
      return e.Fail(StrCat("strconv.ParseBool: parsing ", Quoted(value.text()), ": invalid syntax"));
    default:
      return Unsupported(e, value);
  }
}

Value BigEndian(Evaluation& e, uint64_t bits) {
  std::string bytes(sizeof bits, '\0');
  for (size_t i = 0; i < sizeof bits; ++i) bytes[i] = static_cast<char>(bits >> (56 - 8 * i));
  return Value::Bytes(e.arena().Copy(std::string_view(bytes)));
}

Value ToBytesLike(Evaluation& e, const Value& value) {
  switch (value.kind()) {
    case Kind::kBytes:
      return value;
    case Kind::kString:
      return Value::Bytes(value.text());
    case Kind::kInt:
      return BigEndian(e, static_cast<uint64_t>(value.int_value()));
    case Kind::kDouble:
      return BigEndian(e, std::bit_cast<uint64_t>(value.double_value()));
    case Kind::kBool:
      return Value::Bytes(value.bool_value() ? std::string_view("\1", 1) : std::string_view("\0", 1));
    default:
      return Unsupported(e, value);
  }
}

using Conversion = Value (*)(Evaluation&, const Value&);

// Null if the type is not of those that convert.
Conversion ConversionOf(ParameterType type) {
  switch (type) {
    case ParameterType::kStringLike:
      return ToStringLike;
    case ParameterType::kIntLike:
      return ToIntLike;
    case ParameterType::kDoubleLike:
      return ToDoubleLike;
    case ParameterType::kBoolLike:
      return ToBoolLike;
    case ParameterType::kBytesLike:
      return ToBytesLike;
    default:
      return nullptr;
  }
}

Value ConvertElements(Evaluation& e, ParameterType type, const Value& list) {
  std::vector<Value> converted;
  for (const Value& element : ElementsOf(list, e.arena())) {
    converted.push_back(ConvertArgument(e, type, element));
    if (e.failed()) return {};
  }
  return e.NewList(converted);
}

}  // namespace

ParameterType ElementTypeOf(ParameterType type) {
  if (type == ParameterType::kStrings) return ParameterType::kString;
  if (type == ParameterType::kStringLikes) return ParameterType::kStringLike;
  return ParameterType::kAny;
}

Value ConvertArgument(Evaluation& e, ParameterType type, const Value& value) {
  if (const auto element_type = ElementTypeOf(type); element_type != ParameterType::kAny) {
    return ConvertElements(e, element_type, value);
  }
  if (const Conversion convert = ConversionOf(type)) return value.is_nil() ? value : convert(e, value);
  const auto kind = KindOf(type);
  if (type == ParameterType::kList && value.is(Kind::kList) && !CanBeAttributeThroughout(value)) {
    return e.Fail("<Invalid value type> in a list: only attributes' values can lie in it");
  }
  if (!kind || value.is(*kind)) return value;
  return e.Fail(StrCat("expected ", WantedName(type), " but got ", value.type_name()));
}

Value CallByName(Evaluation& e, const Function& function, const Value& argument) {
  const auto count = std::count_if(function.parameters.begin(), function.parameters.end(),
                                   [](const Parameter& parameter) { return !parameter.name.empty(); });
  if (count != 1) return e.Fail(StrCat("incorrect number of arguments. Expected: ", count, " Received: 1"));
  Arguments arguments;
  arguments.given = 1;
  arguments.values[0] = ConvertArgument(e, function.parameters[0].type, argument);
  if (e.failed()) return {};
  std::unique_ptr<const Prepared> prepared;
  if (function.prepare != nullptr) {
    auto made = function.prepare(arguments);
    if (!made.ok()) return e.Fail(std::string(made.status().message()));
    prepared = *std::move(made);
    arguments.prepared = prepared.get();
  }
  return function.call(e, arguments);
}

}  // namespace spanloom::ottl
