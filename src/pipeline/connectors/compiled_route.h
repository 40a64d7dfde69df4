// SPDX-License-Identifier: Apache-2.0
//
// A line of a routing table, compiled: who takes the route, and what is deleted of them on it.

#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "otlp/batch.h"
#include "ottl/condition.h"
#include "ottl/scene.h"
#include "ottl/statement.h"
#include "pipeline/connectors/request_condition.h"
#include "pipeline/connectors/routing_options.h"

namespace spanloom::pipeline {

// Immutable after Compile, so safe to use from any thread.
class CompiledRoute {
 public:
  // kInvalidArgument says what is wrong with the condition or statement. `clock` outlives the route.
  static StatusOr<CompiledRoute> Compile(const RouteOptions& options, const Clock& clock);

  // kResource, kSpan or kRequest.
  [[nodiscard]] RouteContext context() const { return context_; }
  // Equal for routes of one context that ask the same; "[span] name == \"a\"".
  [[nodiscard]] const std::string& key() const { return key_; }
  // True if it deletes something of what takes it.
  [[nodiscard]] bool edits() const { return edit_.has_value(); }

  // Of kRequest. `origin` may be null.
  [[nodiscard]] bool MatchesRequest(const otlp::RequestOrigin* origin) const { return request_->Matches(origin); }
  // Of the others. False if the condition fails, which `on_error` is told.
  [[nodiscard]] bool Matches(const ottl::Scene& scene, ottl::ErrorHandler on_error) const {
    return conditions_->Match(scene, on_error);
  }
  // Of one that edits: in all that is left of `slice`, all of which takes the route.
  void Edit(otlp::Slice& slice, ottl::ErrorHandler on_error) const;

 private:
  CompiledRoute() = default;
  Status CompileCondition(const std::string& condition, const Clock& clock);
  Status CompileStatement(const std::string& statement, const Clock& clock);
  [[nodiscard]] ottl::Context ottl_context() const {
    return context_ == RouteContext::kSpan ? ottl::Context::kSpan : ottl::Context::kResource;
  }

  RouteContext context_ = RouteContext::kResource;
  std::string key_;
  std::optional<RequestCondition> request_;     // of kRequest
  std::optional<ottl::Conditions> conditions_;  // of the others
  std::optional<ottl::StatementList> edit_;     // if there is one
};

}  // namespace spanloom::pipeline
