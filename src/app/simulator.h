// SPDX-License-Identifier: Apache-2.0
//
// `spanloom simulator`: a model server without a model, with vLLM's API, metrics, KV events and spans.

#pragma once

#include <string>
#include <vector>

#include "cli/reference/command_doc.h"

namespace spanloom::app {

// Runs until SIGTERM or SIGINT, then lets what is under way end. Returns the exit code: 0 after a clean stop, 1 if it
// could not start, 2 for a command line that is wrong.
int RunSimulator(const std::vector<std::string>& arguments);

// Its command line, in words.
[[nodiscard]] cli::reference::CommandDoc DescribeSimulator();

}  // namespace spanloom::app
