// SPDX-License-Identifier: Apache-2.0

#include "ottl/context_inference.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "ottl/function_table.h"
#include "ottl/lexer.h"
#include "ottl/parser.h"
#include "ottl/paths.h"

namespace spanloom::ottl {
namespace {

constexpr std::string_view kContexts = "\"resource\", \"scope\", \"span\", \"spanevent\"";

// Looks at every path, function and enum of a tree.
class Inference {
 public:
  void Visit(const Expression& expression) {
    Visit(expression.comparison.left);
    Visit(expression.comparison.right);
    for (const Expression& operand : expression.operands) Visit(operand);
  }

  void Visit(const Operand& operand) {
    if (operand.kind == Operand::Kind::kPath) VisitPath(operand);
    if (operand.kind == Operand::Kind::kCall) VisitCall(operand);
    if (operand.kind == Operand::Kind::kSymbol) VisitSymbol(operand);
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
    if (!context_) {
      return absl::InvalidArgumentError(
          StrCat("unable to infer context: a path's first segment must be a valid context name: ", kContexts));
    }
    for (const Context context : {*context_, Context::kSpanEvent, Context::kSpan}) {
      if (context >= *context_ && HasWhatIsUsed(context)) return context;
    }
    return absl::InvalidArgumentError(StrCat("unable to infer context: context ", Quoted(ContextName(*context_)),
                                             " does not support ", Quoted(needs_span_.empty() ? enum_ : needs_span_)));
  }

 private:
  void VisitPath(const Operand& path) {
    if (const auto prefix = PrefixOf(path)) {
      context_ = std::max(context_.value_or(*prefix), *prefix);
    } else if (without_context_.empty()) {
      without_context_ = PathText(path);
    }
  }
  void VisitCall(const Operand& call) {
    for (const Function* function : {FindConverter(call.name), FindEditor(call.name)}) {
      if (function != nullptr && function->is_of_spans) needs_span_ = call.name;
    }
  }
  void VisitSymbol(const Operand& symbol) {
    if (ResolveEnum(Context::kSpan, symbol.name).ok()) enum_ = symbol.name;
  }
  [[nodiscard]] bool HasWhatIsUsed(Context context) const {
    return (needs_span_.empty() || context == Context::kSpan) && (enum_.empty() || HasEnums(context));
  }

  std::optional<Context> context_;  // the innermost that a path names
  std::string needs_span_;          // a function that only spans have
  std::string enum_;                // an enum
  std::string without_context_;     // the first path that names none
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
