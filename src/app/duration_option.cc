// SPDX-License-Identifier: Apache-2.0

#include "app/duration_option.h"

#include <CLI/CLI.hpp>

#include "config/duration.h"

namespace spanloom::app {

CLI::Option* AddDuration(CLI::App& command, const std::string& name, std::chrono::milliseconds& value,
                         const std::string& words, const std::string& shown) {
  const auto parse = [&value, name](const std::string& text) {
    const auto duration = config::ParseDuration(text);
    if (!duration || duration->count() < 0) {
      throw CLI::ValidationError(name, "\"" + text + "\" is no duration, such as 20s or 500ms");
    }
    value = std::chrono::ceil<std::chrono::milliseconds>(*duration);
  };
  return command.add_option_function<std::string>(name, parse, words)->type_name("DURATION")->default_str(shown);
}

}  // namespace spanloom::app
