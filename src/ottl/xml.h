// SPDX-License-Identifier: Apache-2.0
//
// XML as trees, as far as converters need them. XML 1.0 without document types, which are kept as they are written and
// not looked into. A name keeps the prefix of its namespace.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace spanloom::ottl {

// Owns what is below it. Thread-compatible.
struct XmlNode {
  enum class Kind : uint8_t {
    kDocument,  // above the elements; without text and name
    kElement,
    kText,  // entities resolved; what is only space is none
    kCdata,
    kComment,
    kMarkup,  // <?...?> and <!...>, with what encloses it
  };

  Kind kind = Kind::kDocument;
  std::string name = {};  // of an element
  std::string text = {};  // of what is no element and no document
  std::vector<std::pair<std::string, std::string>> attributes = {};
  std::vector<std::unique_ptr<XmlNode>> children = {};
  XmlNode* parent = nullptr;
  size_t order = 0;  // position in the document that was parsed

  [[nodiscard]] bool is(Kind wanted) const { return kind == wanted; }
  [[nodiscard]] bool is_text() const { return kind == Kind::kText || kind == Kind::kCdata; }

  // Appends a child, which is returned.
  XmlNode& Add(std::unique_ptr<XmlNode> child);
  XmlNode& Add(Kind child_kind, std::string child_text = {});
  // A copy without a parent.
  [[nodiscard]] std::unique_ptr<XmlNode> Clone() const;
  // All text below it, in order.
  [[nodiscard]] std::string InnerText() const;
};

// Any number of elements and texts side by side, perhaps none. kInvalidArgument says what is wrong and at which byte,
// also of elements that nest more than 256 deep and of more than 65536 nodes and attributes.
[[nodiscard]] StatusOr<std::unique_ptr<XmlNode>> ParseXml(std::string_view xml);

// The same, with at least one element, and none whose prefix is not declared as a namespace.
[[nodiscard]] StatusOr<std::unique_ptr<XmlNode>> ParseXmlWithElement(std::string_view xml);

// The root element, without a parent, of a document that has one and nothing but comments and markup beside it.
[[nodiscard]] StatusOr<std::unique_ptr<XmlNode>> ParseXmlDocument(std::string_view xml);

// The node as XML: elements without content as <a></a>, texts without the space around them.
[[nodiscard]] std::string WriteXml(const XmlNode& node);

}  // namespace spanloom::ottl
