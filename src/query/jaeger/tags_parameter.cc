// SPDX-License-Identifier: Apache-2.0

#include "query/jaeger/tags_parameter.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace spanloom::query::jaeger {
namespace {

using store::Condition;

Status Malformed(std::string_view expected, std::string_view received) {
  return absl::InvalidArgumentError(
      StrCat("malformed 'tags' parameter, expecting ", expected, ", received: ", received));
}

Condition ConditionOf(std::string_view key, std::string_view text) {
  return {.field = store::Field::Attribute(store::AttributeScope::kAnywhere, std::string(key)),
          .comparison = store::Comparison::kHasText,
          .operand = store::Value::String(text)};
}

}  // namespace

StatusOr<Condition> ParseTag(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    return absl::InvalidArgumentError(StrCat("malformed 'tag' parameter, expecting key:value, received: ", text));
  }
  return ConditionOf(text.substr(0, colon), text.substr(colon + 1));
}

StatusOr<std::vector<Condition>> ParseTags(std::string_view json) {
  const auto tags = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!tags.is_object()) return Malformed(R"(a JSON object such as {"key":"value"})", json);
  std::vector<Condition> conditions;
  for (const auto& [key, value] : tags.items()) {
    if (!value.is_string() && !value.is_boolean() && !value.is_number()) {
      return Malformed(StrCat("a string, number or bool for \"", key, "\""), json);
    }
    conditions.push_back(ConditionOf(key, value.is_string() ? value.get<std::string>() : value.dump()));
  }
  return conditions;
}

}  // namespace spanloom::query::jaeger
