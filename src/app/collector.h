// SPDX-License-Identifier: Apache-2.0
//
// `spanloom collector`: runs a configuration of the OpenTelemetry Collector as it stands, with the Collector's command
// line, exit codes and first words of errors.

#pragma once

#include <string>
#include <vector>

#include "cli/reference/command_doc.h"

namespace spanloom::app {

// The command, given what stands behind its name. Returns the exit code: 0, or 1 for everything that is wrong. To be
// called before other threads are started.
int RunCollector(const std::vector<std::string>& arguments);

// Its command line, in words.
[[nodiscard]] cli::reference::CommandDoc DescribeCollector();

}  // namespace spanloom::app
