// SPDX-License-Identifier: Apache-2.0

#include "ottl/context_inference.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "ottl/lexer.h"
#include "ottl/parser.h"
#include "ottl/paths.h"

namespace spanloom::ottl {
namespace {

constexpr std::string_view kContexts = "\"resource\", \"scope\", \"span\", \"spanevent\"";

// Looks at every path of a tree.
class Inference {
 public:
  void Visit(const Expression& expression) {
    Visit(expression.comparison.left);
    Visit(expression.comparison.right);
    for (const Expression& operand : expression.operands) Visit(operand);
  }

  void Visit(const Operand& operand) {
    if (operand.kind == Operand::Kind::kPath) VisitPath(operand);
    if (operand.kind == Operand::Kind::kCall && operand.name == "IsRootSpan") Raise(Context::kSpan);
    for (const Operand& part : operand.operands) Visit(part);
    for (const Operand& key : operand.keys) Visit(key);
    for (const PathSegment& segment : operand.segments) {
      for (const Operand& key : segment.keys) Visit(key);
    }
  }

  // Of the texts that were visited.
  [[nodiscard]] StatusOr<Context> Result() const {
    if (!without_context_.empty()) {
      return absl::InvalidArgumentError(
          StrCat("missing context name for path ", Quoted(without_context_), ", valid contexts are: ", kContexts));
    }
    if (context_) return *context_;
    return absl::InvalidArgumentError(
        StrCat("unable to infer context: a path's first segment must be a valid context name: ", kContexts));
  }

 private:
  void VisitPath(const Operand& path) {
    if (const auto prefix = PrefixOf(path)) {
      Raise(*prefix);
    } else if (without_context_.empty()) {
      without_context_ = PathText(path);
    }
  }
  void Raise(Context context) { context_ = std::max(context_.value_or(context), context); }

  std::optional<Context> context_;
  std::string without_context_;  // the first path that names none
};

}  // namespace

StatusOr<Context> InferContext(std::span<const std::string> conditions, std::span<const std::string> statements) {
  Inference inference;
  for (const std::string& text : conditions) {
    const auto condition = ParseCondition(text);
    if (!condition.ok()) return Annotate(condition.status(), "unable to parse OTTL condition " + Quoted(text));
    inference.Visit(*condition);
  }
  for (const std::string& text : statements) {
    const auto statement = ParseStatement(text);
    if (!statement.ok()) return Annotate(statement.status(), "unable to parse OTTL statement " + Quoted(text));
    inference.Visit(statement->call);
    inference.Visit(statement->where);
  }
  return inference.Result();
}

}  // namespace spanloom::ottl
