// SPDX-License-Identifier: Apache-2.0
//
// Conditions on spans, compiled: what the filter processor asks of every span that passes through the pipeline. The
// part of OTTL that is understood stands in parser.h, the paths in span_paths.h; all else is refused at start, never
// guessed.
//
//   ASSIGN_OR_RETURN(const SpanConditions noise, CompileSpanCondition(R"(attributes["url.path"] == "/metrics")"));
//   slice.DropIf([&](const otlp::SpanContext& span) { return noise.Match(span); });
//
// Semantics, as in the Collector: an attribute that is missing is nil; values of different types are not equal, but
// integers and doubles are compared by number; of attributes with the same key the first counts.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/status.h"
#include "otlp/batch.h"
#include "ottl/ast.h"
#include "ottl/span_paths.h"

namespace spanloom::ottl {

// A list of conditions of which one must be true. Immutable after Compile, so safe to use from any thread; Match
// allocates only if the conditions name more than eight attributes.
class SpanConditions {
 public:
  // An empty list matches nothing. kInvalidArgument quotes the condition, says where it is wrong and what is valid.
  static StatusOr<SpanConditions> Compile(std::span<const std::string> texts);

  // Walks the attributes of span, resource and scope at most once each, and only those that a condition names.
  [[nodiscard]] bool Match(const otlp::SpanContext& span) const;

 private:
  friend class SpanConditionCompiler;

  using SlotIndex = size_t;

  // `path == literal`, or `!=`.
  struct Predicate {
    std::variant<SlotIndex, FieldReader> path;
    Literal literal;
    bool wants_equal = true;
  };

  struct Node {
    Expression::Kind kind = Expression::Kind::kConstant;
    bool constant = false;       // kConstant
    Predicate predicate;         // kComparison
    std::vector<Node> operands;  // kNot, kAnd, kOr
  };

  // What the attributes of one span are, by slot.
  class Values;

  [[nodiscard]] bool Evaluate(const Node& node, const otlp::SpanContext& span, const Values& values) const;

  std::vector<AttributePath> slots_;                   // each attribute that is named, once
  std::array<bool, kAttributeSourceCount> is_read_{};  // [AttributeSource]: a slot is of that source
  std::vector<Node> conditions_;
};

// One condition alone.
StatusOr<SpanConditions> CompileSpanCondition(std::string_view text);

}  // namespace spanloom::ottl
