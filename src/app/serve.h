// SPDX-License-Identifier: Apache-2.0
//
// `spanloom serve`: collector, store, query API and page in one process.

#pragma once

#include <string>
#include <vector>

#include "cli/reference/command_doc.h"

namespace spanloom::app {

// The command, given what stands behind its name. Runs until SIGTERM or SIGINT, then drains. Returns the exit code: 0
// after a clean stop, 1 if it could not start or could not keep what it held, 2 for a wrong command line. To be called
// before other threads are started.
int RunServe(const std::vector<std::string>& arguments);

// Its command line, in words.
[[nodiscard]] cli::reference::CommandDoc DescribeServe();

}  // namespace spanloom::app
