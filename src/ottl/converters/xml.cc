// SPDX-License-Identifier: Apache-2.0
//
// Converters that read XML.

#include "ottl/xml.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "ottl/function_table.h"

namespace spanloom::ottl {
namespace {

constexpr Parameter kTarget = {"target", ParameterType::kString};

// Each text without the space around it, joined.
std::string ContentOf(const XmlElement& element) {
  constexpr std::string_view kSpace = " \t\r\n";
  std::string content;
  for (const std::string& text : element.texts) {
    const size_t begin = text.find_first_not_of(kSpace);
    if (begin != std::string::npos) content += text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
  }
  return content;
}

std::string_view NewKey(Evaluation& e, const std::string& key) {
  return e.arena().Copy(std::string_view(key));
}

// {"tag": .., "attributes": {..}, "content": .., "children": [..]}, of which only the tag is always there.
Value Described(Evaluation& e, const XmlElement& element) {
  std::vector<Entry> entries = {{"tag", e.NewString(element.name)}};
  if (!element.attributes.empty()) {
    std::vector<Entry> attributes;
    for (const auto& [name, value] : element.attributes) attributes.push_back({NewKey(e, name), e.NewString(value)});
    entries.push_back({"attributes", e.NewMap(attributes)});
  }
  if (const std::string content = ContentOf(element); !content.empty()) {
    entries.push_back({"content", e.NewString(content)});
  }
  if (!element.children.empty()) {
    std::vector<Value> children;
    for (const XmlElement& child : element.children) children.push_back(Described(e, child));
    entries.push_back({"children", e.NewList(children)});
  }
  return e.NewMap(entries);
}

Value ParseXml(Evaluation& e, const Arguments& a) {
  const auto root = ParseXmlDocument(a[0].text());
  return root.ok() ? Described(e, *root) : e.Fail("ParseXML: " + std::string(root.status().message()));
}

// A text, or a map of the children; nullopt of an element with neither. Children of one name become a list.
std::optional<Value> Simplified(Evaluation& e, const XmlElement& element) {
  if (element.children.empty()) {
    const std::string content = ContentOf(element);
    return content.empty() ? std::nullopt : std::optional(e.NewString(content));
  }
  std::vector<Entry> entries;
  for (size_t i = 0; i < element.children.size(); ++i) {
    const std::string& name = element.children[i].name;
    const auto has_name = [&name](const XmlElement& child) { return child.name == name; };
    const auto begin = element.children.begin();
    if (std::any_of(begin, begin + static_cast<std::ptrdiff_t>(i), has_name)) continue;
    std::vector<Value> values;
    for (const XmlElement& child : element.children) {
      const auto value = has_name(child) ? Simplified(e, child) : std::nullopt;
      if (value) values.push_back(*value);
    }
    if (values.empty()) continue;
    const bool is_list = std::count_if(begin, element.children.end(), has_name) > 1;
    entries.push_back({NewKey(e, name), is_list ? e.NewList(values) : values.front()});
  }
  return e.NewMap(entries);
}

Value ParseSimplifiedXml(Evaluation& e, const Arguments& a) {
  const auto root = ParseXmlDocument(a[0].text());
  if (!root.ok()) return e.Fail("ParseSimplifiedXML: " + std::string(root.status().message()));
  const auto value = Simplified(e, *root);
  std::vector<Entry> entries;
  if (value) entries.push_back({NewKey(e, root->name), *value});
  return e.NewMap(entries);
}

constexpr Function kFunctions[] = {
    {"ParseXML", {kTarget}, ParseXml},
    {"ParseSimplifiedXML", {kTarget}, ParseSimplifiedXml},
};

}  // namespace

std::span<const Function> XmlConverters() {
  return kFunctions;
}

}  // namespace spanloom::ottl
