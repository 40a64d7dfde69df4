// SPDX-License-Identifier: Apache-2.0
//
// Converters that make maps of XML.

#include "ottl/xml.h"

#include <absl/container/flat_hash_map.h>

#include <optional>
#include <string>
#include <vector>

#include "ottl/function_table.h"
#include "ottl/map_builder.h"

namespace spanloom::ottl {
namespace {

constexpr Parameter kTarget = {"target", ParameterType::kString};

// Each text without the space around it, joined.
std::string ContentOf(const XmlNode& element) {
  constexpr std::string_view kSpace = " \t\r\n";
  std::string content;
  for (const auto& child : element.children) {
    if (!child->is_text()) continue;
    const std::string& text = child->text;
    const size_t begin = text.find_first_not_of(kSpace);
    if (begin != std::string::npos) content += text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
  }
  return content;
}

std::vector<const XmlNode*> ElementsBelow(const XmlNode& element) {
  std::vector<const XmlNode*> elements;
  for (const auto& child : element.children) {
    if (child->is(XmlNode::Kind::kElement)) elements.push_back(child.get());
  }
  return elements;
}

// Without the prefix of its namespace.
std::string_view LocalName(std::string_view name) {
  const size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

std::string_view NewKey(Evaluation& e, std::string_view name) {
  return e.arena().Copy(LocalName(name));
}

// {"tag": .., "attributes": {..}, "content": .., "children": [..]}, of which only the tag is always there.
Value Described(Evaluation& e, const XmlNode& element) {
  std::vector<Entry> entries = {{"tag", e.NewString(LocalName(element.name))}};
  if (!element.attributes.empty()) {
    MapBuilder attributes;
    for (const auto& [name, value] : element.attributes) attributes.Set(NewKey(e, name), e.NewString(value));
    entries.push_back({"attributes", e.NewMap(attributes.entries())});
  }
  if (const std::string content = ContentOf(element); !content.empty()) {
    entries.push_back({"content", e.NewString(content)});
  }
  std::vector<Value> children;
  for (const XmlNode* child : ElementsBelow(element)) children.push_back(Described(e, *child));
  if (!children.empty()) entries.push_back({"children", e.NewList(children)});
  return e.NewMap(entries);
}

Value ParseXml(Evaluation& e, const Arguments& a) {
  const auto root = ParseXmlDocument(a[0].text());
  return root.ok() ? Described(e, **root) : e.Fail("ParseXML: " + std::string(root.status().message()));
}

// The first text as it is, or a map of the children; nullopt of an element with neither. Children of one name become a
// list.
std::optional<Value> Simplified(Evaluation& e, const XmlNode& element) {
  const std::vector<const XmlNode*> children = ElementsBelow(element);
  if (children.empty()) {
    for (const auto& child : element.children) {
      if (child->is_text() && !child->text.empty()) return e.NewString(child->text);
    }
    return std::nullopt;
  }
  struct Namesakes {
    size_t count = 0;
    std::vector<Value> values;  // of those that are not empty
  };
  absl::flat_hash_map<std::string, Namesakes> by_name;
  for (const XmlNode* child : children) {
    Namesakes& namesakes = by_name[std::string(LocalName(child->name))];
    ++namesakes.count;
    if (const auto value = Simplified(e, *child)) namesakes.values.push_back(*value);
  }
  MapBuilder map;
  for (const XmlNode* child : children) {
    const std::string_view name = NewKey(e, child->name);
    const Namesakes& namesakes = by_name[std::string(name)];
    if (namesakes.values.empty() || map.Has(name)) continue;
    map.Set(name, namesakes.count > 1 ? e.NewList(namesakes.values) : namesakes.values.front());
  }
  return map.entries().empty() ? std::nullopt : std::optional(e.NewMap(map.entries()));
}

Value ParseSimplifiedXml(Evaluation& e, const Arguments& a) {
  const auto root = ParseXmlDocument(a[0].text());
  if (!root.ok()) return e.Fail("ParseSimplifiedXML: " + std::string(root.status().message()));
  const auto value = Simplified(e, **root);
  std::vector<Entry> entries;
  if (value) entries.push_back({NewKey(e, (*root)->name), *value});
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
