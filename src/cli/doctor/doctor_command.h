// SPDX-License-Identifier: Apache-2.0
//
// `spanloom doctor`: reads what a user deploys, and says why traces will be missing or wrong.

#pragma once

#include "cli/reference/command_doc.h"

namespace spanloom::cli::doctor {

// The command line, in words.
[[nodiscard]] reference::CommandDoc Describe();

// The command, `argv[0]` being its name. Returns the exit code: 0 if nothing was found, 1 if something was, 2 for a
// wrong command line or a file that can't be read.
int Run(int argc, char** argv);

}  // namespace spanloom::cli::doctor
