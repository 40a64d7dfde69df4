// SPDX-License-Identifier: Apache-2.0
//
// Manual pages of section 1, in the language of man(7).

#pragma once

#include <map>
#include <string>

#include "cli/reference/command_doc.h"

namespace spanloom::cli::reference {

struct ManualOptions {
  std::string version = {};  // "0.1.0"
  std::string date = {};     // "2026-01-31", of what is described; "" if it is not known
};

// One page for `root`, and one for each command right below it, which has the commands below that; by file name:
// "spanloom.1", "spanloom-serve.1".
[[nodiscard]] std::map<std::string, std::string> ManualPages(const CommandDoc& root, const ManualOptions& options);

}  // namespace spanloom::cli::reference
