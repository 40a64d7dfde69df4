// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/skip_conditions.h"

#include <absl/algorithm/container.h>

#include <span>

#include "base/check.h"
#include "base/text.h"
#include "ottl/context_inference.h"

namespace spanloom::pipeline {

using ottl::Context;

SkipConditions::SkipConditions(const std::vector<std::string>& texts, const Clock& clock) {
  std::array<std::vector<std::string>, 4> by_context;
  for (const std::string& text : texts) {
    const auto context = ottl::InferContext(std::span(&text, 1));
    CHECK(context.ok());
    by_context[static_cast<size_t>(*context)].push_back(text);
  }
  for (size_t i = 0; i < by_context.size(); ++i) {
    if (by_context[i].empty()) continue;
    auto compiled = ottl::Conditions::Compile(static_cast<Context>(i), by_context[i], clock);
    CHECK(compiled.ok());
    by_context_[i] = *std::move(compiled);
  }
}

Status SkipConditions::Check(const std::string& text) {
  ASSIGN_OR_RETURN(const Context context, ottl::InferContext(std::span(&text, 1)));
  return ottl::CheckCondition(context, text);
}

bool SkipConditions::empty() const {
  return absl::c_none_of(by_context_, [](const auto& conditions) { return conditions.has_value(); });
}

bool SkipConditions::Match(Context context, const ottl::Scene& scene, Status& error) const {
  const auto& conditions = by_context_[static_cast<size_t>(context)];
  if (!conditions) return false;
  return conditions->Match(scene, [&](std::string_view text, const Status& failure) {
    error = Annotate(failure, StrCat("failed to eval skip condition: ", text));
    return false;
  });
}

std::vector<bool> SkipConditions::MatchEvents(const otlp::SpanContext& span, Status& error) const {
  std::vector<bool> matches;
  for (const otlp::EventView event : span.span.events()) {
    matches.push_back(Match(Context::kSpanEvent, ottl::Scene(span, event, matches.size()), error));
  }
  return matches;
}

}  // namespace spanloom::pipeline
