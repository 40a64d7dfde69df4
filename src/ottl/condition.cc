// SPDX-License-Identifier: Apache-2.0

#include "ottl/condition.h"

#include <utility>

#include "ottl/lexer.h"
#include "ottl/parser.h"

namespace spanloom::ottl {
namespace {

StatusOr<ConditionNode> Compiled(Compiler& compiler, std::string_view text) {
  const auto compile = [&]() -> StatusOr<ConditionNode> {
    ASSIGN_OR_RETURN(const Expression expression, ParseCondition(text));
    return compiler.CompileCondition(expression);
  };
  auto condition = compile();
  if (!condition.ok()) return Annotate(condition.status(), "unable to parse OTTL condition " + Quoted(text));
  return condition;
}

}  // namespace

StatusOr<Conditions> Conditions::Compile(Context context, std::span<const std::string> texts, const Clock& clock) {
  Conditions conditions(clock);
  Compiler compiler(context, Compiler::Attributes::kInSlots, *conditions.program_);
  for (const std::string& text : texts) {
    ASSIGN_OR_RETURN(ConditionNode condition, Compiled(compiler, text));
    conditions.Add(std::move(condition), text);
  }
  return conditions;
}

void Conditions::Add(ConditionNode condition, std::string text) {
  for (size_t i = first_joinable_; i < conditions_.size(); ++i) {
    if (JoinLookup(conditions_[i].condition, condition)) return;
  }
  const bool can_fail = condition.can_fail;
  conditions_.push_back({std::move(condition), std::move(text)});
  if (can_fail) first_joinable_ = conditions_.size();
}

bool Conditions::Match(const Scene& scene, ErrorHandler on_error) const {
  if (conditions_.empty()) return false;
  Evaluation evaluation(scene, *clock_);
  program_->ReadSlots(evaluation);
  for (const Step& step : conditions_) {
    if (IsTrue(step.condition, evaluation)) return true;
    if (evaluation.failed() && !on_error(step.text, evaluation.TakeStatus())) return false;
  }
  return false;
}

Status CheckCondition(Context context, std::string_view text) {
  Program program;
  Compiler compiler(context, Compiler::Attributes::kInSlots, program);
  return Compiled(compiler, text).status();
}

}  // namespace spanloom::ottl
