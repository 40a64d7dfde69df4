// SPDX-License-Identifier: Apache-2.0

#include "pipeline/connectors/compiled_route.h"

#include <absl/strings/ascii.h>

#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "ottl/context_inference.h"
#include "ottl/lexer.h"
#include "ottl/parser.h"

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kRoute = "route";

// What stands behind `where`; "true" if nothing does. `statement` has been parsed.
std::string ConditionOf(std::string_view statement) {
  const auto tokens = ottl::Lex(statement);
  if (!tokens.ok()) return "";
  int depth = 0;
  for (const ottl::Token& token : *tokens) {
    if (token.kind == ottl::Token::Kind::kPunctuation && token.text == "(") ++depth;
    if (token.kind == ottl::Token::Kind::kPunctuation && token.text == ")") --depth;
    if (depth == 0 && token.kind == ottl::Token::Kind::kName && token.text == "where") {
      const std::string_view condition = statement.substr(token.offset + token.text.size());
      return std::string(absl::StripAsciiWhitespace(AbslView(condition)));
    }
  }
  return "true";
}

// Of one that does not say it: told by paths, else the resource, as ever. kInvalidArgument if it is one that routes are
// not asked of.
StatusOr<RouteContext> Inferred(const RouteOptions& options) {
  std::vector<std::string> conditions;
  std::vector<std::string> statements;
  if (!options.condition.empty()) conditions.push_back(options.condition);
  if (!options.statement.empty()) statements.push_back(options.statement);
  const auto context = ottl::InferContext(conditions, statements);
  if (!context.ok() || *context == ottl::Context::kResource) return RouteContext::kResource;
  if (*context == ottl::Context::kSpan) return RouteContext::kSpan;
  return absl::InvalidArgumentError(
      StrCat("paths begin with ", ottl::ContextName(*context), ", of which no route is asked (valid: resource, span)"));
}

}  // namespace

StatusOr<CompiledRoute> CompiledRoute::Compile(const RouteOptions& options, const Clock& clock) {
  CompiledRoute route;
  route.context_ = options.context;
  if (options.context == RouteContext::kRequest) {
    ASSIGN_OR_RETURN(route.request_, RequestCondition::Parse(options.condition));
    route.key_ = StrCat("[request] ", options.condition);
    return route;
  }
  if (options.context == RouteContext::kInferred) {
    ASSIGN_OR_RETURN(route.context_, Inferred(options));
  }
  if (options.statement.empty()) {
    RETURN_IF_ERROR(route.CompileCondition(options.condition, clock));
  } else {
    RETURN_IF_ERROR(route.CompileStatement(options.statement, clock));
  }
  return route;
}

Status CompiledRoute::CompileCondition(const std::string& condition, const Clock& clock) {
  key_ = StrCat("[", ottl::ContextName(ottl_context()), "] ", condition);
  ASSIGN_OR_RETURN(conditions_, ottl::Conditions::Compile(ottl_context(), {&condition, 1}, clock));
  return absl::OkStatus();
}

Status CompiledRoute::CompileStatement(const std::string& statement, const Clock& clock) {
  const auto syntax = ottl::ParseStatement(statement);
  if (!syntax.ok()) {
    return Annotate(syntax.status(), "unable to parse OTTL statement " + ottl::Quoted(statement));
  }
  const std::string& editor = syntax->call.name;
  if (editor != kRoute && editor != "delete_key" && editor != "delete_matching_keys") {
    return absl::InvalidArgumentError(
        StrCat("statement calls ", editor, " (valid: route, delete_key, delete_matching_keys)"));
  }
  if (editor == kRoute && !syntax->call.operands.empty()) {
    return absl::InvalidArgumentError("statement: route takes no arguments");
  }
  RETURN_IF_ERROR(CompileCondition(ConditionOf(statement), clock));
  if (editor == kRoute) return absl::OkStatus();
  key_ = StrCat("[", ottl::ContextName(ottl_context()), "] ", statement);
  ASSIGN_OR_RETURN(edit_, ottl::StatementList::Compile(ottl_context(), {&statement, 1}, {}, clock));
  return absl::OkStatus();
}

void CompiledRoute::Edit(otlp::Slice& slice, ottl::ErrorHandler on_error) const {
  bool goes_on = true;
  slice.EditSpans([&](otlp::SpanEditContext& edited) {
    if (!goes_on || (context_ == RouteContext::kResource && !edited.begins_resource())) return;
    edit_->Execute(ottl::Scene(edited), [&](std::string_view text, const Status& error) {
      goes_on = on_error(text, error);
      return goes_on;
    });
  });
}

}  // namespace spanloom::pipeline
