// SPDX-License-Identifier: Apache-2.0
//
// The skip_conditions of the redaction processor: OTTL conditions for what it leaves as it is.

#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "otlp/batch.h"
#include "ottl/condition.h"
#include "ottl/scene.h"

namespace spanloom::pipeline {

// Immutable; thread-safe.
class SkipConditions {
 public:
  // `texts` have passed Check. `clock` outlives this.
  SkipConditions(const std::vector<std::string>& texts, const Clock& clock);

  // kInvalidArgument says what is wrong with a condition: its paths begin with their context.
  static Status Check(const std::string& text);

  [[nodiscard]] bool empty() const;
  // True if a condition of that context holds for `scene`. One that fails makes `error` tell, and does not hold.
  [[nodiscard]] bool Match(ottl::Context context, const ottl::Scene& scene, Status& error) const;
  // [events]: for which of them one holds.
  [[nodiscard]] std::vector<bool> MatchEvents(const otlp::SpanContext& span, Status& error) const;

 private:
  std::array<std::optional<ottl::Conditions>, 4> by_context_;  // of contexts without conditions nullopt
};

}  // namespace spanloom::pipeline
