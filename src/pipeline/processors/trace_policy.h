// SPDX-License-Identifier: Apache-2.0
//
// The policies of tail_sampling: what each says of a trace. They say what the Collector's say.

#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "pipeline/processors/held_traces.h"
#include "pipeline/processors/tail_sampling_options.h"
#include "pipeline/processors/trace_under_decision.h"

namespace spanloom::pipeline {

// Sequence-bound: its processor's loop.
class TracePolicy {
 public:
  virtual ~TracePolicy() = default;

  // kSampled, kNotSampled or kDropped. An error: the policy says nothing of the trace. `now_ns`: steady time.
  virtual StatusOr<TraceVerdict> Evaluate(const TraceUnderDecision& trace, int64_t now_ns) = 0;
};

// The policy that `options`, which have passed their checks, describe. `processor` is for logs. `clock` outlives it.
[[nodiscard]] std::unique_ptr<TracePolicy> MakeTracePolicy(const TailSamplingPolicyOptions& options,
                                                           const std::string& processor, const Clock& clock);

// The same of one that has no policies below it: trace_policies.cc.
[[nodiscard]] std::unique_ptr<TracePolicy> MakeSimpleTracePolicy(const SimplePolicyOptions& options,
                                                                 const std::string& processor, const Clock& clock);

}  // namespace spanloom::pipeline
