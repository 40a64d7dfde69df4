// SPDX-License-Identifier: Apache-2.0
//
// The syntax trees of OTTL (OpenTelemetry Transformation Language, the Collector's pkg/ottl): what was written, before
// anyone asked whether its paths and functions exist. Plain values; a tree owns its parts.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace spanloom::ottl {

// `0x0102`.
struct BytesLiteral {
  std::string bytes;
  friend bool operator==(const BytesLiteral&, const BytesLiteral&) = default;
};

// nil, or a value as written. Strings have their escapes resolved.
using Literal = std::variant<std::monostate, bool, int64_t, double, std::string, BytesLiteral>;

struct Operand;

// `resource.attributes["service.name"]` has the segments "resource" and "attributes"; the latter has one key.
struct PathSegment {
  std::string name;
  std::vector<Operand> keys;
};

// Anything that has a value: a literal, a path, a call, or an expression of them.
struct Operand {
  enum class Kind : uint8_t {
    kLiteral,     // `literal`
    kSymbol,      // `name`: an enum, or a function where one is wanted
    kPath,        // `segments`, not empty
    kCall,        // converter `name` of `operands`, whose `names` are "" where they go by position; then `keys`
    kList,        // `operands`
    kMap,         // `operands` with keys `names`
    kArithmetic,  // two `operands` and `op`, one of + - * /
    kNegation,    // one of `operands`
  };

  Kind kind = Kind::kLiteral;
  size_t offset = 0;  // bytes from the start of the text
  Literal literal = {};
  std::string name = {};
  char op = 0;  // of a number in kLiteral, its sign if one was written
  std::vector<PathSegment> segments = {};
  std::vector<Operand> operands = {};
  std::vector<std::string> names = {};  // [operands] of kCall and kMap
  std::vector<Operand> keys = {};
};

// "resource.attributes": the segments joined by ".", without keys. `path` is a kPath.
[[nodiscard]] std::string PathText(const Operand& path);

enum class ComparisonOperator : uint8_t { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual };

struct Comparison {
  Operand left;
  ComparisonOperator op = ComparisonOperator::kEqual;
  Operand right;
};

// A condition is a tree of these. Nested at most kExpressionDepthMax deep (parser.h).
struct Expression {
  enum class Kind : uint8_t { kConstant, kCall, kComparison, kNot, kAnd, kOr };

  Kind kind = Kind::kConstant;
  bool constant = false;                  // kConstant
  Comparison comparison = {};             // kComparison; of kCall, `left` is the call
  std::vector<Expression> operands = {};  // kNot: one; kAnd, kOr: two or more
};

// `set(attributes["a"], 1) where name == "GET"`.
struct StatementSyntax {
  Operand call;      // kCall of an editor
  Expression where;  // the constant true if there is none
};

}  // namespace spanloom::ottl
