// SPDX-License-Identifier: Apache-2.0

#include "query/jaeger/tags_parameter.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace spanloom::query::jaeger {
namespace {

using store::AttributeCondition;

Status Malformed(std::string_view expected, std::string_view received) {
  return absl::InvalidArgumentError(
      StrCat("malformed 'tags' parameter, expecting ", expected, ", received: ", received));
}

}  // namespace

StatusOr<AttributeCondition> ParseTag(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    return absl::InvalidArgumentError(StrCat("malformed 'tag' parameter, expecting key:value, received: ", text));
  }
  return AttributeCondition{.key = std::string(text.substr(0, colon)), .value = std::string(text.substr(colon + 1))};
}

StatusOr<std::vector<AttributeCondition>> ParseTags(std::string_view json) {
  const auto tags = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!tags.is_object()) return Malformed(R"(a JSON object such as {"key":"value"})", json);
  std::vector<AttributeCondition> conditions;
  for (const auto& [key, value] : tags.items()) {
    if (!value.is_string() && !value.is_boolean() && !value.is_number()) {
      return Malformed(StrCat("a string, number or bool for \"", key, "\""), json);
    }
    conditions.push_back({.key = key, .value = value.is_string() ? value.get<std::string>() : value.dump()});
  }
  return conditions;
}

}  // namespace spanloom::query::jaeger
