// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/ottl_options.h"

#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "ottl/context_inference.h"

namespace spanloom::pipeline {
namespace {

constexpr std::pair<std::string_view, OttlErrorMode> kErrorModes[] = {
    {"ignore", OttlErrorMode::kIgnore}, {"silent", OttlErrorMode::kSilent}, {"propagate", OttlErrorMode::kPropagate}};

}  // namespace

void DeclareErrorMode(config::OptionsReader& r, OttlErrorMode& mode, std::string_view words) {
  r.Choice<OttlErrorMode>("error_mode", mode, kErrorModes, words, config::Letters::kAnyCase);
}

void DeclareErrorMode(config::OptionsReader& r, std::optional<OttlErrorMode>& mode) {
  r.Choice<OttlErrorMode>("error_mode", mode, kErrorModes, "The error_mode of this group; the processor's if left out.",
                          config::Letters::kAnyCase);
}

void DeclareContext(config::OptionsReader& r, OttlContextChoice& choice) {
  static constexpr std::pair<std::string_view, OttlContextChoice> kContexts[] = {
      {"", OttlContextChoice::kInferred},
      {"resource", OttlContextChoice::kResource},
      {"scope", OttlContextChoice::kScope},
      {"span", OttlContextChoice::kSpan},
      {"spanevent", OttlContextChoice::kSpanEvent}};
  r.Choice<OttlContextChoice>("context", choice, kContexts,
                              "Where paths begin; empty to tell it from their first segments.",
                              config::Letters::kAnyCase);
}

StatusOr<ottl::Context> Resolved(OttlContextChoice choice, std::span<const std::string> conditions,
                                 std::span<const std::string> statements) {
  switch (choice) {
    case OttlContextChoice::kResource:
      return ottl::Context::kResource;
    case OttlContextChoice::kScope:
      return ottl::Context::kScope;
    case OttlContextChoice::kSpan:
      return ottl::Context::kSpan;
    case OttlContextChoice::kSpanEvent:
      return ottl::Context::kSpanEvent;
    case OttlContextChoice::kInferred:
      break;
  }
  return ottl::InferContext(conditions, statements);
}

OttlErrors::OttlErrors(std::string owner, std::string_view kind, const Clock& clock, std::string_view owner_kind)
    : owner_(std::move(owner)),
      kind_(kind),
      failure_(StrCat(kind == "statement" ? "failed to execute " : "failed to eval ", kind)),
      owner_kind_(owner_kind),
      limiter_(clock) {}

bool OttlErrors::GoesOn(OttlErrorMode mode, std::string_view text, const Status& error, Status& refusal) {
  if (mode == OttlErrorMode::kPropagate) {
    refusal = absl::UnavailableError(StrCat(failure_, ": ", text, ", ", error.message()));
    return false;
  }
  if (mode == OttlErrorMode::kSilent) return true;
  if (const auto count = limiter_.Admit(1)) {
    Log(LogLevel::kWarn, failure_,
        {{owner_kind_, owner_},
         {kind_, std::string(text)},
         {"error", std::string(error.message())},
         {"times", StrCat(*count)}});
  }
  return true;
}

bool OncePer::IsNew(const otlp::SpanContext& span) {
  Place place{.resource = span.resource.wire().data(), .resource_schema = span.resource_schema_url.data()};
  if (context_ == ottl::Context::kScope) {
    place.scope = span.scope.wire().data();
    place.scope_schema = span.scope_schema_url.data();
  }
  const bool is_new = is_first_ || place != last_;
  is_first_ = false;
  last_ = place;
  return is_new;
}

}  // namespace spanloom::pipeline
