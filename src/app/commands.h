// SPDX-License-Identifier: Apache-2.0
//
// The commands of the binary: the one list, from which they are run, and from which help, manual pages and completions
// are made.

#pragma once

#include <span>
#include <string_view>

#include "cli/reference/command_doc.h"

namespace spanloom::app {

struct Command {
  const char* name;
  int (*run)(int argc, char** argv);         // argv[0] is the name; returns the exit code
  cli::reference::CommandDoc (*describe)();  // its command line
  bool is_server = false;
};

[[nodiscard]] std::span<const Command> Commands();

// nullptr if there is none of this name.
[[nodiscard]] const Command* FindCommand(std::string_view name);

// The whole command line.
[[nodiscard]] cli::reference::CommandDoc DescribeSpanloom();

// `spanloom` with no command behind it: prints the help or the version that is asked for, or what is wrong. Returns the
// exit code, 2 for a wrong command line.
int RunWithoutCommand(int argc, char** argv);

}  // namespace spanloom::app
