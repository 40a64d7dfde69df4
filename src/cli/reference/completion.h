// SPDX-License-Identifier: Apache-2.0
//
// Scripts by which shells complete a command line: commands, flags, and values that are files, directories or one of a
// few words. Each stands alone, asks the program nothing, and knows what the binary knew that wrote it.

#pragma once

#include <string>

#include "cli/reference/command_doc.h"

namespace spanloom::cli::reference {

[[nodiscard]] std::string BashCompletion(const CommandDoc& root);  // bash 4 or later
[[nodiscard]] std::string ZshCompletion(const CommandDoc& root);   // sourced, or as _NAME on the fpath
[[nodiscard]] std::string FishCompletion(const CommandDoc& root);  // fish 3 or later

}  // namespace spanloom::cli::reference
