// SPDX-License-Identifier: Apache-2.0
//
// What components that use OTTL share: the options error_mode and context, and what becomes of a condition or statement
// that fails.

#pragma once

#include <absl/functional/function_ref.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"
#include "config/options.h"
#include "otlp/batch.h"
#include "ottl/condition.h"
#include "ottl/scene.h"
#include "pipeline/log_limiter.h"

namespace spanloom::pipeline {

// The error_mode of a processor.
enum class OttlErrorMode : uint8_t {
  kIgnore,     // it is logged, and counts as a condition that does not hold
  kSilent,     // the same without the log
  kPropagate,  // the batch is refused
};
inline constexpr std::string_view kSpanErrorWords =
    "What an error during evaluation means: with ignore it is logged and what failed is passed over, silent does not "
    "log it, propagate refuses the batch: its sender is told to send it again.";
// `words`: what an error means to what has the option.
void DeclareErrorMode(config::OptionsReader& r, OttlErrorMode& mode, std::string_view words = kSpanErrorWords);
// Of a group of conditions or statements; nullopt for the processor's.
void DeclareErrorMode(config::OptionsReader& r, std::optional<OttlErrorMode>& mode);

// The context of a group.
enum class OttlContextChoice : uint8_t { kInferred, kResource, kScope, kSpan, kSpanEvent };
void DeclareContext(config::OptionsReader& r, OttlContextChoice& choice);
// The context said, or inferred from what the paths begin with. kInvalidArgument as ottl::InferContext.
[[nodiscard]] StatusOr<ottl::Context> Resolved(OttlContextChoice choice, std::span<const std::string> conditions,
                                               std::span<const std::string> statements = {});

// Decides by the error mode what becomes of failures. Thread-safe.
class OttlErrors {
 public:
  // `kind` is what the log calls a text that failed: "condition", "statement"; `owner_kind` what has it.
  OttlErrors(std::string owner, std::string_view kind, const Clock& clock, std::string_view owner_kind = "processor");

  // True to go on with the next text. With kPropagate, `refusal` becomes the error that the batch is refused with:
  // kUnavailable, as in the Collector, so that nothing is lost while a configuration is mended.
  bool GoesOn(OttlErrorMode mode, std::string_view text, const Status& error, Status& refusal);

 private:
  const std::string owner_;
  const std::string kind_;
  const std::string failure_;  // "failed to eval condition"
  const std::string owner_kind_;
  LogLimiter limiter_;
};

// Answers a question about what many spans share once for all of them that follow one another.
class OncePer {
 public:
  // `context` is kResource or kScope.
  explicit OncePer(ottl::Context context) : context_(context) {}

  // True if `span` stands in another resource (scope) than the span before it.
  bool IsNew(const otlp::SpanContext& span);

 private:
  struct Place {
    const char* resource = nullptr;
    const char* resource_schema = nullptr;
    const char* scope = nullptr;
    const char* scope_schema = nullptr;
    friend bool operator==(const Place&, const Place&) = default;
  };

  ottl::Context context_;
  Place last_;
  bool is_first_ = true;
};

}  // namespace spanloom::pipeline
