// SPDX-License-Identifier: Apache-2.0

#include "pipeline/own_resource_config.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"

namespace spanloom::pipeline {
namespace {

using config::Node;

// One of the list. What it is, is said by its value: a text.
struct ResourceAttributeOptions {
  std::string name = {};
  std::optional<Node> value = {};
  std::string type = "string";
  void Declare(config::OptionsReader& r) {
    r.Field("name", name, "Name of the attribute.");
    r.Field("value", value, "Its text.");
    r.Field("type", type, "What it is: string.");
  }
  [[nodiscard]] Status Validate() const {
    if (name.empty()) return absl::InvalidArgumentError("name must not be empty");
    if (!type.empty() && type != "string") {
      return absl::InvalidArgumentError(StrCat("type \"", type, "\" is not supported by this version: write string"));
    }
    if (value && config::ReadString(*value)) return absl::OkStatus();
    return absl::InvalidArgumentError("value must be a text in this version; write it in quotes");
  }
};

struct ResourceListOptions {
  std::vector<ResourceAttributeOptions> attributes = {};
  void Declare(config::OptionsReader& r) {
    r.Field("attributes", attributes, "The attributes.");
    r.Unsupported("attributes_list", "use resource::attributes");
    r.Unsupported("detectors", "remove it; nothing is detected, so that all attributes are those written here");
    r.Unsupported("schema_url", "remove it; what is told of this process names no schema",
                  "https://opentelemetry.io/schemas/1.40.0");
  }
};

bool IsOfList(std::string_view key) {
  return key == "attributes" || key == "attributes_list" || key == "detectors" || key == "schema_url";
}

}  // namespace

config::StringMap ReadOwnResource(const Node& node, std::string_view path, config::Problems& problems) {
  std::vector<Node::Entry> of_list;
  config::StringMap attributes;
  for (const Node::Entry& entry : node.entries()) {
    if (IsOfList(entry.key)) {
      of_list.push_back(entry);
      continue;
    }
    auto text = config::ReadString(entry.value);
    if (!text && !entry.value.is_null()) {
      problems.Add(path, StrCat("legacy resource attribute \"", entry.key, "\" must be string or null"), entry.source);
      continue;
    }
    attributes.emplace_back(entry.key, std::move(text).value_or(""));
  }
  // A value that is no map is named there.
  const Node list = node.is_map() ? Node::Map(std::move(of_list), node.source()) : node;
  const auto options = config::ReadOptions<ResourceListOptions>(list, path, problems);
  if (!options.attributes.empty() && !attributes.empty()) {
    problems.Add(path, "attributes cannot be used together with legacy inline resource attributes", node.source());
    return attributes;
  }
  for (const ResourceAttributeOptions& attribute : options.attributes) {
    attributes.emplace_back(attribute.name, attribute.value ? config::ReadString(*attribute.value).value_or("") : "");
  }
  return attributes;
}

}  // namespace spanloom::pipeline
