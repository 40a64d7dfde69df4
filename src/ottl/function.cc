// SPDX-License-Identifier: Apache-2.0

#include "ottl/function.h"

#include <algorithm>

#include "base/text.h"
#include "ottl/text_format.h"

namespace spanloom::ottl {
namespace {

using Kind = Value::Kind;

std::string_view WantedName(ParameterType type) {
  switch (type) {
    case ParameterType::kInt:
      return "int64";
    case ParameterType::kBool:
      return "bool";
    case ParameterType::kList:
      return "pcommon.Slice";
    case ParameterType::kStrings:
      return "a list of strings";
    case ParameterType::kMap:
      return "pcommon.Map";
    case ParameterType::kTime:
      return "time.Time";
    case ParameterType::kDuration:
      return "time.Duration";
    case ParameterType::kDoubleLike:
      return "a value that is a number";
    default:
      return "string";
  }
}

bool IsOfType(const Value& value, ParameterType type) {
  switch (type) {
    case ParameterType::kString:
      return value.is(Kind::kString);
    case ParameterType::kInt:
      return value.is(Kind::kInt);
    case ParameterType::kBool:
      return value.is(Kind::kBool);
    case ParameterType::kList:
    case ParameterType::kStrings:
      return value.is(Kind::kList);
    case ParameterType::kMap:
      return value.is(Kind::kMap);
    case ParameterType::kTime:
      return value.is(Kind::kTime);
    case ParameterType::kDuration:
      return value.is(Kind::kDuration);
    default:
      return true;
  }
}

bool AreStrings(const Value& list) {
  Arena arena;
  const auto elements = ElementsOf(list, arena);
  return std::all_of(elements.begin(), elements.end(), [](const Value& element) { return element.is(Kind::kString); });
}

Value Mismatch(Evaluation& e, const Function& function, const Parameter& parameter, const Value& value) {
  return e.Fail(StrCat(function.name, ": ", parameter.name, ": expected ", WantedName(parameter.type), " but got ",
                       value.type_name()));
}

}  // namespace

Value ConvertArgument(Evaluation& e, const Function& function, const Parameter& parameter, const Value& value) {
  if (value.is_nil() && parameter.is_optional) return value;
  if (parameter.type == ParameterType::kStringLike) {
    if (value.is_nil()) return value;
    const auto text = LikeString(e, value);
    return text ? Value::String(*text) : Mismatch(e, function, parameter, value);
  }
  if (parameter.type == ParameterType::kDoubleLike) {
    if (value.is_nil()) return value;
    const auto number = LikeDouble(value);
    return number ? Value::Double(*number) : Mismatch(e, function, parameter, value);
  }
  const bool fits = IsOfType(value, parameter.type) && (parameter.type != ParameterType::kStrings || AreStrings(value));
  return fits ? value : Mismatch(e, function, parameter, value);
}

Value CallByName(Evaluation& e, const Function& function, const Value& argument) {
  Arguments arguments;
  arguments.values[0] = ConvertArgument(e, function, function.parameters[0], argument);
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
