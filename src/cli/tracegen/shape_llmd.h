// SPDX-License-Identifier: Apache-2.0
//
// llm-d in the guide's era: llm-d-inference-scheduler v0.6 (EPP and routing sidecar), kv-cache v0.6, vLLM. The spans of
// a request to which the client sent no traceparent, mistakes included: decode hangs under prefill, which has ended,
// and both engines hang under the gateway. Names, types, order and places are those of
// tests/data/recorded/llmd-sched-0.6.0 and llmd-sched-0.6.0-precise-prefix.

#pragma once

#include "cli/tracegen/llmd_fleet.h"
#include "cli/tracegen/llmd_request.h"
#include "cli/tracegen/trace_shape.h"

namespace spanloom::cli::tracegen {

// Immutable and thread-safe.
class LlmdShape final : public TraceShape {
 public:
  // Whether EPP scores by the blocks that each pod's prefix cache really holds; if so it spends time and spans on it.
  enum class PrefixScorer { kOff, kPrecise };

  LlmdShape(uint64_t seed, PrefixScorer scorer);

  void Generate(uint64_t index, int64_t end_unix_ns, GeneratedTrace& trace) const override;

 private:
  LlmdShape(Fleet fleet, uint64_t seed, PrefixScorer scorer);

  Fleet fleet_;
  FleetEmitters numbering_;
  PrefixScorer scorer_;
};

}  // namespace spanloom::cli::tracegen
