// SPDX-License-Identifier: Apache-2.0
//
// Reads the part of XPath 1.0 (https://www.w3.org/TR/1999/REC-xpath-19991116/) that statements use:
//
//   path        /a/b, //b, a//b, ., .., @k, text(), comment(), node(), *, p:a, and the axes child, descendant,
//               descendant-or-self, self, parent and attribute by name; unions of paths with |
//   predicates  [2], [last()], [b], [@k='v'], [. != 3 and not(c)], with or, and, = != < <= > >=, and the functions of
//               XPathFunctions

#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "base/status.h"
#include "ottl/xpath_expression.h"

namespace spanloom::ottl {

struct XPathFunction {
  std::string_view name;
  size_t operands_min = 0;
  size_t operands_max = 0;
};

// Those that expressions may call.
[[nodiscard]] std::span<const XPathFunction> XPathFunctions();

// kInvalidArgument names what is wrong, or not supported, and where; also of brackets that nest more than 32 deep.
[[nodiscard]] StatusOr<XPathExpression> ParseXPath(std::string_view text);

}  // namespace spanloom::ottl
