// SPDX-License-Identifier: Apache-2.0

#include "llmd/wire/request_fields.h"

#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"
#include "base/utf8.h"
#include "llmd/wire/python_text.h"

namespace spanloom::llmd::wire {
namespace {

// What the framework says of a value that it can't take as the type.
std::string_view WordsOf(std::string_view type) {
  if (type == "string_type") return "Input should be a valid string";
  if (type == "list_type") return "Input should be a valid list";
  if (type == "int_type") return "Input should be a valid integer";
  if (type == "float_type") return "Input should be a valid number";
  if (type == "bool_type") return "Input should be a valid boolean";
  return "Input should be a valid dictionary";
}

// The framework takes a number for a text or a text for a number if nothing is lost.
bool ToInt(const element& value, int64_t& number) {
  double real = 0;
  std::string_view text;
  if (value.get(number) == simdjson::SUCCESS) return true;
  if (value.get(text) == simdjson::SUCCESS) return absl::SimpleAtoi(AbslView(text), &number);
  if (value.get(real) != simdjson::SUCCESS || std::trunc(real) != real || std::abs(real) > 1e15) return false;
  number = static_cast<int64_t>(real);
  return true;
}

bool ToDouble(const element& value, double& number) {
  std::string_view text;
  if (value.get(number) == simdjson::SUCCESS) return true;
  return value.get(text) == simdjson::SUCCESS && absl::SimpleAtod(AbslView(text), &number);
}

bool ToBool(const element& value, bool& is_true) {
  constexpr std::array<std::string_view, 6> kTrue = {"true", "1", "yes", "on", "t", "y"};
  constexpr std::array<std::string_view, 6> kFalse = {"false", "0", "no", "off", "f", "n"};
  if (value.get(is_true) == simdjson::SUCCESS) return true;
  if (!value.is_string() && !value.is_int64()) return false;
  const std::string word = absl::AsciiStrToLower(AbslView(PythonInput(value)));
  is_true = std::find(kTrue.begin(), kTrue.end(), word) != kTrue.end();
  return is_true || std::find(kFalse.begin(), kFalse.end(), word) != kFalse.end();
}

}  // namespace

// One parser a thread: it keeps its memory from request to request.
StatusOr<element> ReadBody(std::string_view body) {
  if (body.empty()) return WrongForm({.type = "missing", .what = "Field required", .input = "None"});
  thread_local kube::JsonReader reader;
  const StatusOr<element> root = reader.Read(body);
  if (!root.ok() && !IsUtf8(body)) return WrongText();
  if (!root.ok()) {
    const JsonMistake mistake = FindJsonMistake(body);
    return WrongForm({.type = "json_invalid",
                      .place = StrCat(mistake.at),
                      .what = "JSON decode error",
                      .input = "<dict of 0 items>",
                      .extra = StrCat(", 'ctx': {'error': ", PythonQuoted(mistake.what), "}")});
  }
  if (root->is_object()) return root;
  return WrongForm({.type = "model_attributes_type",
                    .what = "Input should be a valid dictionary or object to extract fields from",
                    .input = PythonInput(*root)});
}

std::optional<element> FindField(const element& object, std::string_view key) {
  element value;
  if (object[key].get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
  return value;
}

Status MissingField(const element& object, std::string_view key) {
  return WrongForm(
      {.type = "missing", .place = std::string(key), .what = "Field required", .input = PythonInput(object)});
}

FormError TypeError(std::string_view key, const element& value, std::string_view type) {
  FormError error{std::string(type), std::string(key), std::string(WordsOf(type)), PythonInput(value)};
  if (type == "int_type" && value.is_string()) {
    error.type = "int_parsing";
    error.what += ", unable to parse string as an integer";
  } else if (type == "int_type" && value.is_double()) {
    error.type = "int_from_float";
    error.what += ", got a number with a fractional part";
  } else if (type == "float_type" && value.is_string()) {
    error.type = "float_parsing";
    error.what += ", unable to parse string as a number";
  } else if (type == "bool_type" && (value.is_string() || value.is_number())) {
    error.type = "bool_parsing";
    error.what += ", unable to interpret input";
  }
  return error;
}

Status WrongType(std::string_view key, const element& value, std::string_view type) {
  return WrongForm(TypeError(key, value, type));
}

Status ReadBool(const element& object, std::string_view key, bool& target) {
  const auto value = FindField(object, key);
  if (!value || ToBool(*value, target)) return absl::OkStatus();
  return WrongType(key, *value, "bool_type");
}

Status ReadText(const element& object, std::string_view key, std::string& target) {
  const auto value = FindField(object, key);
  std::string_view text;
  if (!value) return absl::OkStatus();
  if (value->get(text) != simdjson::SUCCESS) return WrongType(key, *value, "string_type");
  target = text;
  return absl::OkStatus();
}

Status ReadInt(const element& object, std::string_view key, std::optional<int64_t>& target, const IntRange& range) {
  const auto value = FindField(object, key);
  if (!value) return absl::OkStatus();
  int64_t number = 0;
  if (!ToInt(*value, number)) return WrongType(key, *value, "int_type");
  target = number;
  if (number >= range.min && number <= range.max) return absl::OkStatus();
  // vLLM's words differ where 0 is the least.
  const std::string_view rule = number > range.max ? "at most "
                                : range.min == 0   ? "greater than or equal to "
                                                   : "at least ";
  const std::string what =
      StrCat(key, " must be ", rule, number > range.max ? range.max : range.min, ", got ", number, ".");
  return range.is_named ? WrongValue(key, what, StrCat(number)) : WrongRequest(what);
}

Status ReadNumber(const element& object, std::string_view key, double& target, bool is_allowed(double),
                  std::string_view rule) {
  const auto value = FindField(object, key);
  if (!value) return absl::OkStatus();
  if (!ToDouble(*value, target)) return WrongType(key, *value, "float_type");
  if (is_allowed(target)) return absl::OkStatus();
  const std::string number = PythonFloat(target);
  return WrongValue(key, StrCat(key, " must be ", rule, ", got ", number, "."), number);
}

}  // namespace spanloom::llmd::wire
