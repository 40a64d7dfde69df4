// SPDX-License-Identifier: Apache-2.0
//
// `spanloom tracegen`: makes traces and sends them over OTLP, as fast as the receiver takes them or at a rate, and
// reports the truth about what became of them.

#pragma once

#include <ostream>
#include <stop_token>

#include "base/clock.h"
#include "base/status.h"
#include "cli/tracegen/options.h"
#include "cli/tracegen/report.h"
#include "cli/tracegen/sender.h"

namespace spanloom::cli::tracegen {

inline constexpr int kExitAcknowledged = 0;
inline constexpr int kExitLost = 1;
inline constexpr int kExitUsage = 2;

// What a run needs from its surroundings. All must outlive the run.
struct RunEnvironment {
  const Clock& clock;
  std::ostream& progress_out;
  bool progress_is_terminal = false;
  std::stop_token stop;       // ends the run early; the report is still made
  SenderOptions sender = {};  // back-offs; the rest is set from the options
};

// One run, from the first trace to the last answer. kInvalidArgument if the endpoint is none.
StatusOr<RunReport> RunTracegen(const TracegenOptions& options, const RunEnvironment& environment);

// The command: argv[0] is its name. Report or help on standard output, progress and errors on standard error. Returns
// the exit status. To be called before other threads are started.
int Run(int argc, const char* const* argv);

}  // namespace spanloom::cli::tracegen
