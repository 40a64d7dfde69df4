// SPDX-License-Identifier: Apache-2.0

#include "ottl/json_value.h"

#include <simdjson.h>

#include <string>
#include <vector>

#include "base/text.h"
#include "otlp/validate.h"
#include "ottl/map_builder.h"

namespace spanloom::ottl {
namespace {

namespace dom = simdjson::dom;

Value ToValue(const dom::element& element, Arena& arena) {
  switch (element.type()) {
    case dom::element_type::BOOL:
      return Value::Bool(element.get_bool().value_unsafe());
    case dom::element_type::INT64:
      return Value::Double(static_cast<double>(element.get_int64().value_unsafe()));
    case dom::element_type::UINT64:
      return Value::Double(static_cast<double>(element.get_uint64().value_unsafe()));
    case dom::element_type::DOUBLE:
      return Value::Double(element.get_double().value_unsafe());
    case dom::element_type::STRING:
      return Value::String(arena.Copy(std::string_view(element.get_string().value_unsafe())));
    case dom::element_type::ARRAY: {
      std::vector<Value> elements;
      const dom::array array = element.get_array().value_unsafe();
      for (const dom::element child : array) elements.push_back(ToValue(child, arena));
      return Value::List(arena.Copy(elements));
    }
    case dom::element_type::OBJECT: {
      MapBuilder map;
      const dom::object object = element.get_object().value_unsafe();
      for (const dom::key_value_pair field : object) {
        map.Set(arena.Copy(std::string_view(field.key)), ToValue(field.value, arena));
      }
      return Value::Map(arena.Copy(map.entries()));
    }
    case dom::element_type::NULL_VALUE:
      break;
  }
  return {};
}

}  // namespace

StatusOr<Value> ParseJsonValue(std::string_view json, Arena& arena) {
  dom::parser parser;
  dom::element root;
  // An empty text may have no address, which the parser would copy from.
  auto error = json.empty() ? simdjson::EMPTY : parser.allocate(json.size(), otlp::kValueDepthMax);
  if (error == simdjson::SUCCESS) error = parser.parse(json.data(), json.size()).get(root);
  if (error == simdjson::SUCCESS) return ToValue(root, arena);
  return absl::InvalidArgumentError(StrCat("could not parse JSON: ", std::string_view(simdjson::error_message(error))));
}

}  // namespace spanloom::ottl
