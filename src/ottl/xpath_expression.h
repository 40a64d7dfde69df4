// SPDX-License-Identifier: Apache-2.0
//
// XPath expressions as trees: what xpath_parser.h reads and xpath.h evaluates.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace spanloom::ottl {

struct XPathExpression;

// One step of a path: from a node along an axis to what the test takes, of which the predicates keep some.
struct XPathStep {
  enum class Axis : uint8_t { kChild, kDescendantOrSelf, kDescendant, kSelf, kParent, kAttribute };
  enum class Test : uint8_t {
    kName,
    kAnyName,  // *
    kText,     // text()
    kComment,  // comment()
    kNode,     // node()
  };
  Axis axis = Axis::kChild;
  Test test = Test::kNode;
  std::string name = {};  // of kName
  std::vector<XPathExpression> predicates;
};

struct XPathExpression {
  enum class Kind : uint8_t {
    kPath,   // `steps`, from the root if `is_absolute`
    kUnion,  // of `operands`, which are paths
    kOr,     // of both `operands`, as all operators that follow
    kAnd,
    kEqual,
    kUnequal,
    kLess,
    kLessEqual,
    kGreater,
    kGreaterEqual,
    kNumber,    // `number`
    kString,    // `text`
    kFunction,  // `text` called with `operands`
  };
  Kind kind = Kind::kPath;
  bool is_absolute = false;
  double number = 0;
  std::string text = {};
  std::vector<XPathStep> steps = {};
  std::vector<XPathExpression> operands = {};
};

}  // namespace spanloom::ottl
