// SPDX-License-Identifier: Apache-2.0
//
// ${...} in configuration values, as the Collector replaces it: ${env:NAME}, ${NAME}, ${env:NAME:-default},
// ${file:path}, ${yaml:text}, ${https://host/path}, and "$$" for a dollar sign. Where the environment, files and the
// texts at URLs come from is a parameter.

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "config/node.h"

namespace spanloom::config {

inline constexpr int kExpansionDepthMax = 16;          // ${...} inside what ${...} gave; guess
inline constexpr size_t kExpandedBytesMax = 16 << 20;  // of all replacements together; guess

struct ExpansionSources {
  // The value of an environment variable; nullopt if it is not set.
  std::function<std::optional<std::string>(const std::string& name)> environment = {};
  // The content of a file. Unset: ${file:...} is refused.
  std::function<StatusOr<std::string>(const std::string& path)> read_file = {};
  // The text at a URL, "http://..." or "https://...". Unset: they are refused.
  std::function<StatusOr<std::string>(const std::string& url)> fetch = {};
};

// True if an environment variable can have this name, and what is wrong if not.
[[nodiscard]] bool IsVariableName(std::string_view name);
[[nodiscard]] std::string InvalidVariableName(std::string_view name);

struct Expansion {
  Node node;
  std::vector<std::string> warnings;  // one a variable that is not set, with file and line
};

// Replaces ${...} in every value; keys are left alone. A value that is one ${...} as a whole becomes what the
// replacement means as YAML (null if the variable is not set), and remembers its text (Node::expanded_text); inside a
// longer string the text is put in. kInvalidArgument has a line for each value that is wrong, with file and line: an
// impossible variable name, an unknown scheme, a file or URL that can't be read, a limit of above exceeded.
StatusOr<Expansion> Expand(const Node& node, const ExpansionSources& sources);

}  // namespace spanloom::config
