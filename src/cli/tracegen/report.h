// SPDX-License-Identifier: Apache-2.0
//
// What a run tells its user at the end: what was sent, and what became of every span of it.

#pragma once

#include <cstdint>
#include <string>

#include "cli/tracegen/delivery_stats.h"
#include "cli/tracegen/options.h"

namespace spanloom::cli::tracegen {

struct RunReport {
  uint64_t traces = 0;          // generated
  uint64_t spans = 0;           // generated
  uint64_t unsent_spans = 0;    // of these, never sent because the run was interrupted
  DeliveryStats delivery = {};  // of all others
  int64_t wall_ns = 0;          // from the first trace to the last answer
  bool was_interrupted = false;

  // True if every span that was sent was acknowledged.
  [[nodiscard]] bool IsComplete() const { return delivery.lost_spans() == 0; }
};

// The report with a line break at its end.
std::string FormatReport(const RunReport& report, const TracegenOptions& options);

}  // namespace spanloom::cli::tracegen
