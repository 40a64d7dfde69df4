// SPDX-License-Identifier: Apache-2.0
//
// Lists of OTTL statements, compiled: what the transform processor does to every span, event, scope or resource that
// passes through the pipeline. `editor(arguments) where condition`; the editors stand in function_table.h.

#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "ottl/compiler.h"
#include "ottl/condition.h"
#include "ottl/scene.h"

namespace spanloom::ottl {

// Immutable after Compile, so safe to use from any thread.
class StatementList {
 public:
  // With `conditions`, the statements are carried out only where one of these is true. kInvalidArgument quotes the text
  // and says what is wrong with it. `clock` is what Now() asks; it outlives the list.
  static StatusOr<StatementList> Compile(Context context, std::span<const std::string> texts,
                                         std::span<const std::string> conditions = {},
                                         const Clock& clock = Clock::System());

  // Carries out the statements in order, each seeing what those before it did, until `on_error` has enough. The path
  // `cache` is empty at first. `scene` has the context and can be edited.
  void Execute(const Scene& scene, ErrorHandler on_error) const;

 private:
  struct Statement {
    Call call;
    ConditionNode where;
    std::string text;
  };

  explicit StatementList(const Clock& clock) : clock_(&clock), program_(std::make_unique<Program>()) {}
  [[nodiscard]] bool Applies(Evaluation& evaluation, ErrorHandler on_error) const;

  const Clock* clock_;
  std::unique_ptr<Program> program_;  // stays where it is, because values of the statements lie in it
  std::vector<std::pair<ConditionNode, std::string>> conditions_;
  std::vector<Statement> statements_;
};

// OK, or why `text` is no statement of that context.
Status CheckStatement(Context context, std::string_view text);

}  // namespace spanloom::ottl
