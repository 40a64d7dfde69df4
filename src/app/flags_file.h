// SPDX-License-Identifier: Apache-2.0
//
// A YAML file of flags, as llm-d-inference-sim's --config: its keys are the flags' names, its values what would stand
// behind them. What the command line or a variable says stands over it.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace CLI {
class App;
}  // namespace CLI

namespace spanloom::app {

// What the YAML `text` of `file` says, as arguments that `command` takes: "--name=value", of flags that `command`,
// which has parsed its command line, was not given. A list is several values, a map JSON. The keys of `groups` may hold
// flags of theirs, or these stand at the top; not both. kInvalidArgument names file and line: no YAML, a key that is no
// flag (and the nearest one), a value that no flag can have.
StatusOr<std::vector<std::string>> ReadFlagsFile(std::string_view text, const std::string& file,
                                                 const CLI::App& command, const std::vector<std::string>& groups);

}  // namespace spanloom::app
