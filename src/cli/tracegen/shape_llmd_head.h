// SPDX-License-Identifier: Apache-2.0
//
// llm-d-router of August 2026: EPP and routing sidecar with their newer names, every leg a CLIENT span that passes the
// trace on, decode still under prefill. Names, types, order and places are those of
// tests/data/recorded/llmd-router-head; the refused prefill connection follows llmd-router-head-scrape-noise.

#pragma once

#include "cli/tracegen/llmd_fleet.h"
#include "cli/tracegen/llmd_request.h"
#include "cli/tracegen/trace_shape.h"

namespace spanloom::cli::tracegen {

// Immutable and thread-safe.
class LlmdHeadShape final : public TraceShape {
 public:
  explicit LlmdHeadShape(uint64_t seed);

  void Generate(uint64_t index, int64_t end_unix_ns, GeneratedTrace& trace) const override;

 private:
  LlmdHeadShape(Fleet fleet, uint64_t seed);

  Fleet fleet_;
  FleetEmitters numbering_;
};

}  // namespace spanloom::cli::tracegen
