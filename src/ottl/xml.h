// SPDX-License-Identifier: Apache-2.0
//
// XML documents as trees, as far as converters need them: elements, attributes and text. XML 1.0 without document
// types, which are passed over, and without namespaces: a name keeps its prefix.

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace spanloom::ottl {

struct XmlElement {
  std::string name;
  std::vector<std::pair<std::string, std::string>> attributes = {};
  std::vector<std::string> texts = {};  // between the children, CDATA included, entities resolved
  std::vector<XmlElement> children = {};
};

// The root element of a document. kInvalidArgument says what is wrong and at which byte, also of elements that nest
// more than 256 deep.
[[nodiscard]] StatusOr<XmlElement> ParseXmlDocument(std::string_view xml);

}  // namespace spanloom::ottl
