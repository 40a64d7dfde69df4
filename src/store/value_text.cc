// SPDX-License-Identifier: Apache-2.0

#include "store/value_text.h"

#include <cmath>

#include "base/text.h"

namespace spanloom::store {
namespace {

using otlp::ValueView;
using Kind = ValueView::Kind;

std::string JsonText(const ValueView& value) {
  std::string text;
  JsonWriter json(text);
  WriteValueJson(value, json);
  return text;
}

void WriteArrayJson(const ValueView& value, JsonWriter& json) {
  json.BeginArray();
  for (const ValueView element : value.array()) WriteValueJson(element, json);
  json.EndArray();
}

void WriteMapJson(const ValueView& value, JsonWriter& json) {
  json.BeginObject();
  for (const otlp::AttributeView entry : value.map()) {
    json.Key(entry.key());
    WriteValueJson(entry.value(), json);
  }
  json.EndObject();
}

}  // namespace

std::string DoubleText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  std::string text;
  JsonWriter(text).Double(value);
  return text;
}

std::string ValueText(const ValueView& value) {
  switch (value.kind()) {
    case Kind::kNone:
      return "";
    case Kind::kString:
      return std::string(value.string_value());
    case Kind::kBytes:
      return std::string(value.bytes_value());
    case Kind::kBool:
      return value.bool_value() ? "true" : "false";
    case Kind::kInt:
      return StrCat(value.int_value());
    case Kind::kDouble:
      return DoubleText(value.double_value());
    case Kind::kArray:
    case Kind::kMap:
      return JsonText(value);
  }
  return "";
}

bool ValueHasText(const ValueView& value, std::string_view text) {
  switch (value.kind()) {
    case Kind::kNone:
      return text.empty();
    case Kind::kString:
      return value.string_value() == text;
    case Kind::kBytes:
      return value.bytes_value() == text;
    case Kind::kBool:
      return text == (value.bool_value() ? "true" : "false");
    default:
      return ValueText(value) == text;
  }
}

void WriteValueJson(const ValueView& value, JsonWriter& json) {
  switch (value.kind()) {
    case Kind::kNone:
      return json.Null();
    case Kind::kString:
      return json.String(value.string_value());
    case Kind::kBytes:
      return json.Base64(value.bytes_value());
    case Kind::kBool:
      return json.Bool(value.bool_value());
    case Kind::kInt:
      return json.Int(value.int_value());
    case Kind::kDouble:
      return json.Double(value.double_value());
    case Kind::kArray:
      return WriteArrayJson(value, json);
    case Kind::kMap:
      return WriteMapJson(value, json);
  }
}

}  // namespace spanloom::store
