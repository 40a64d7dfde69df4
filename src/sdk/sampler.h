// SPDX-License-Identifier: Apache-2.0
//
// Which traces are recorded. Names and arguments are those of OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG
// (OpenTelemetry specification, "General SDK Configuration").

#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"
#include "otlp/ids.h"
#include "sdk/trace_context.h"

namespace spanloom::sdk {

// Immutable; a small value.
class Sampler {
 public:
  // Roots: all of them, none, or a share of the traces. Children: the same rule, or what their parent does.
  static Sampler AlwaysOn() { return {kEveryTrace, false}; }
  static Sampler AlwaysOff() { return {0, false}; }
  // `ratio` in [0, 1]; others are an error of the caller. The decision depends on the low 64 bits of the trace id alone
  // and equals that of the OpenTelemetry Python SDK: low bits < round(ratio * 2^64), ties to even.
  static Sampler TraceIdRatio(double ratio);
  // Asks `root` only where there is no parent.
  static Sampler ParentBased(Sampler root) { return {root.bound_, true}; }

  // "always_on", "always_off", "traceidratio", "parentbased_always_on", "parentbased_always_off",
  // "parentbased_traceidratio", in any case; `argument` is the ratio, "" means 1. kInvalidArgument lists the names, or
  // says what a ratio is. Nothing is guessed: a name that is not known must not become some rate.
  static StatusOr<Sampler> Parse(std::string_view name, std::string_view argument);

  // A number in [0, 1], "" means 1; else kInvalidArgument.
  static StatusOr<double> ParseRatio(std::string_view text);

  // Whether a span of trace `trace_id` is recorded and sent. `parent` may be no context.
  [[nodiscard]] bool Samples(const TraceContext& parent, const otlp::TraceId& trace_id) const;

 private:
  using Bound = unsigned __int128;  // 2^64 is a value
  static constexpr Bound kEveryTrace = Bound{1} << 64;

  Sampler(Bound bound, bool follows_parent) : bound_(bound), follows_parent_(follows_parent) {}

  Bound bound_;
  bool follows_parent_;
};

}  // namespace spanloom::sdk
