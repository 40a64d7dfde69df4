// SPDX-License-Identifier: Apache-2.0
//
// The commands that print what this binary knows of itself: the reference of its configuration, its manual pages, and
// scripts by which shells complete its command line.

#pragma once

#include <string>
#include <vector>

#include "cli/reference/command_doc.h"

namespace spanloom::app {

// The commands, given what stands behind their names. They return the exit code: 0, 1 if something can't be written, 2
// for a wrong command line.
int RunConfigReference(const std::vector<std::string>& arguments);
int RunMan(const std::vector<std::string>& arguments);
int RunCompletion(const std::vector<std::string>& arguments);

// Their command lines, in words.
[[nodiscard]] cli::reference::CommandDoc DescribeConfigReference();
[[nodiscard]] cli::reference::CommandDoc DescribeMan();
[[nodiscard]] cli::reference::CommandDoc DescribeCompletion();

}  // namespace spanloom::app
