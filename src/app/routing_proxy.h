// SPDX-License-Identifier: Apache-2.0
//
// `spanloom routing-proxy`: the sidecar of a decode pod in llm-d, with the command line of llm-d's own.

#pragma once

#include <string>
#include <vector>

#include "cli/reference/command_doc.h"

namespace spanloom::app {

// The command, given what stands behind its name. Returns the exit code: 0, 1 if it can't start or cut requests off at
// its stop, 2 for a wrong command line. To be called before other threads are started.
int RunRoutingProxy(const std::vector<std::string>& arguments);

// Its command line, in words.
[[nodiscard]] cli::reference::CommandDoc DescribeRoutingProxy();

}  // namespace spanloom::app
