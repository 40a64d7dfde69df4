// SPDX-License-Identifier: Apache-2.0
//
// `spanloom store`: looks into a store's directory, copies it, puts it in order.

#pragma once

#include "cli/reference/command_doc.h"

namespace spanloom::cli::store {

inline constexpr int kExitFine = 0;
inline constexpr int kExitProblem = 1;  // it failed, or found something wrong
inline constexpr int kExitUsage = 2;

// The command line, in words.
[[nodiscard]] reference::CommandDoc Describe();

// The command: argv[0] is its name. What was asked for on standard output, progress and errors on standard error.
// Returns the exit status. To be called before other threads are started.
int Run(int argc, const char* const* argv);

}  // namespace spanloom::cli::store
