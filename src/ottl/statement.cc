// SPDX-License-Identifier: Apache-2.0

#include "ottl/statement.h"

#include <utility>

#include "ottl/lexer.h"
#include "ottl/parser.h"

namespace spanloom::ottl {
namespace {

struct CompiledStatement {
  Call call;
  ConditionNode where;
};

StatusOr<CompiledStatement> Compiled(Compiler& compiler, std::string_view text) {
  const auto compile = [&]() -> StatusOr<CompiledStatement> {
    ASSIGN_OR_RETURN(const StatementSyntax syntax, ParseStatement(text));
    ASSIGN_OR_RETURN(Call call, compiler.CompileEditor(syntax.call));
    ASSIGN_OR_RETURN(ConditionNode where, compiler.CompileCondition(syntax.where));
    return CompiledStatement{std::move(call), std::move(where)};
  };
  auto statement = compile();
  if (!statement.ok()) return Annotate(statement.status(), "unable to parse OTTL statement " + Quoted(text));
  return statement;
}

}  // namespace

StatusOr<StatementList> StatementList::Compile(Context context, std::span<const std::string> texts,
                                               std::span<const std::string> conditions, const Clock& clock) {
  StatementList list(clock);
  Compiler compiler(context, Compiler::Attributes::kDirectly, *list.program_);
  for (const std::string& text : conditions) {
    const auto parsed = ParseCondition(text);
    auto compiled = parsed.ok() ? compiler.CompileCondition(*parsed) : parsed.status();
    if (!compiled.ok()) return Annotate(compiled.status(), "unable to parse OTTL condition " + Quoted(text));
    list.conditions_.emplace_back(*std::move(compiled), text);
  }
  for (const std::string& text : texts) {
    ASSIGN_OR_RETURN(CompiledStatement compiled, Compiled(compiler, text));
    list.statements_.push_back({std::move(compiled.call), std::move(compiled.where), text});
  }
  return list;
}

bool StatementList::Applies(Evaluation& evaluation, ErrorHandler on_error) const {
  if (conditions_.empty()) return true;
  for (const auto& [condition, text] : conditions_) {
    if (IsTrue(condition, evaluation)) return true;
    if (evaluation.failed() && !on_error(text, evaluation.TakeStatus())) return false;
  }
  return false;
}

void StatementList::Execute(const Scene& scene, ErrorHandler on_error) const {
  Evaluation evaluation(scene, *clock_);
  if (!Applies(evaluation, on_error)) return;
  for (const Statement& statement : statements_) {
    if (IsTrue(statement.where, evaluation)) static_cast<void>(statement.call.Run(evaluation));
    if (evaluation.failed() && !on_error(statement.text, evaluation.TakeStatus())) return;
  }
}

Status CheckStatement(Context context, std::string_view text) {
  Program program;
  Compiler compiler(context, Compiler::Attributes::kDirectly, program);
  return Compiled(compiler, text).status();
}

}  // namespace spanloom::ottl
