// SPDX-License-Identifier: Apache-2.0
//
// From the texts that a command line names to one configuration: parse, merge in order, apply settings, replace ${...}.

#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "config/expand.h"
#include "config/node.h"

namespace spanloom::config {

struct ConfigText {
  std::string file;  // shown in messages
  std::string text;
};

// Later texts win over earlier ones, `settings` ("a.b=c") over all. kInvalidArgument has a line for each text,
// setting or value that is wrong, with file and line; a text whose root is not a map is refused, an empty one is {}.
StatusOr<Expansion> Load(std::span<const ConfigText> texts, std::span<const std::string> settings,
                         const ExpansionSources& sources);

}  // namespace spanloom::config
