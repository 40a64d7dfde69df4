// SPDX-License-Identifier: Apache-2.0
//
// The syntax tree of an OTTL condition (OpenTelemetry Transformation Language, the Collector's pkg/ottl): what was
// written, before anyone asked whether its paths exist. Plain values; a tree owns its parts.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace spanloom::ottl {

// nil, or a value as written. Strings have their escapes resolved.
using Literal = std::variant<std::monostate, bool, int64_t, double, std::string>;

// `SPAN_KIND_SERVER`.
struct EnumSymbol {
  std::string name;
  size_t offset = 0;  // bytes from the start of the text
};

// `resource.attributes["service.name"]` has the segments "resource" and "attributes"; the latter has one key.
struct PathSegment {
  std::string name;
  std::vector<std::variant<int64_t, std::string>> keys;
};

struct Path {
  std::vector<PathSegment> segments;  // not empty
  size_t offset = 0;                  // bytes from the start of the text
};

using Value = std::variant<Literal, EnumSymbol, Path>;

enum class ComparisonOperator : uint8_t { kEqual, kNotEqual };

struct Comparison {
  Value left;
  ComparisonOperator op = ComparisonOperator::kEqual;
  Value right;
  size_t offset = 0;  // of the operator
};

// A condition is a tree of these. Nested at most kExpressionDepthMax deep (parser.h).
struct Expression {
  enum class Kind : uint8_t { kConstant, kComparison, kNot, kAnd, kOr };

  Kind kind = Kind::kConstant;
  bool constant = false;             // kConstant
  Comparison comparison;             // kComparison
  std::vector<Expression> operands;  // kNot: one; kAnd, kOr: two or more
};

}  // namespace spanloom::ottl
