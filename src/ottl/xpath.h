// SPDX-License-Identifier: Apache-2.0
//
// Selects nodes of XML by a part of XPath 1.0, which xpath_parser.h describes.

#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "ottl/xml.h"
#include "ottl/xpath_expression.h"

namespace spanloom::ottl {

// What a path selects: a node, or one of its attributes.
struct XPathItem {
  XmlNode* node = nullptr;
  std::optional<size_t> attribute = std::nullopt;  // index in node->attributes

  friend bool operator==(const XPathItem&, const XPathItem&) = default;
};

// Immutable; thread-safe.
class XPath {
 public:
  // kInvalidArgument as ParseXPath.
  static StatusOr<XPath> Compile(std::string_view text);

  // In the order of the document that was parsed, each once. The items are good until the nodes are changed.
  // kResourceExhausted after 100 000 steps from node to node, long texts counting for several: predicates that look
  // through the whole document for each of its nodes would hold up whoever waits.
  [[nodiscard]] StatusOr<std::vector<XPathItem>> Select(XmlNode& document) const;

 private:
  explicit XPath(XPathExpression expression) : expression_(std::move(expression)) {}

  XPathExpression expression_;
};

}  // namespace spanloom::ottl
