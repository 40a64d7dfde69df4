// SPDX-License-Identifier: Apache-2.0
//
// Lists of OTTL conditions, compiled: what the filter processor asks of every span that passes through the pipeline.
// The grammar stands in parser.h, the paths in paths.h, the converters in function_table.h.
//
//   ASSIGN_OR_RETURN(const Conditions noise, Conditions::Compile(Context::kSpan, {R"(attributes["k"] ==
//   "/metrics")"})); slice.DropIf([&](const otlp::SpanContext& span) { return noise.Match(Scene(span), log_and_go_on);
//   });
//
// Semantics, as in the Collector: an attribute that is missing is nil; values are compared by the rules of value.h; of
// attributes with the same key the first counts.

#pragma once

#include <absl/functional/function_ref.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "ottl/compiler.h"
#include "ottl/scene.h"

namespace spanloom::ottl {

// Told of a condition or statement that failed (kInvalidArgument); true to go on with the next one.
using ErrorHandler = absl::FunctionRef<bool(std::string_view text, const Status& error)>;

// A list of conditions of which one must be true. Immutable after Compile, so safe to use from any thread. A match
// allocates only for what converters make, and if the conditions name more than eight attributes.
class Conditions {
 public:
  // An empty list matches nothing. kInvalidArgument quotes the condition and says what is wrong with it. `clock` is
  // what Now() asks; it outlives the conditions.
  static StatusOr<Conditions> Compile(Context context, std::span<const std::string> texts,
                                      const Clock& clock = Clock::System());

  // Asks the conditions in order until one is true, or `on_error` has enough. Walks the attributes of the resource,
  // scope, span and event at most once each, and only those that a condition names by a constant key. `scene` has the
  // context.
  [[nodiscard]] bool Match(const Scene& scene, ErrorHandler on_error) const;

  [[nodiscard]] bool empty() const { return conditions_.empty(); }

 private:
  // One condition; or several of the form `path == "text"` for the same path, which are looked up together. They are
  // asked for where the first of them stands, which makes no difference if none in between can fail.
  struct Step {
    ConditionNode condition;
    std::string text;
  };

  explicit Conditions(const Clock& clock) : clock_(&clock), program_(std::make_unique<Program>()) {}
  void Add(ConditionNode condition, std::string text);

  const Clock* clock_;
  std::unique_ptr<Program> program_;  // stays where it is, because values of the conditions lie in it
  std::vector<Step> conditions_;
  size_t first_joinable_ = 0;  // in conditions_, while they are compiled
};

// OK, or why `text` is no condition of that context.
Status CheckCondition(Context context, std::string_view text);

}  // namespace spanloom::ottl
