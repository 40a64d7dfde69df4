// SPDX-License-Identifier: Apache-2.0

#include "app/drain_argument.h"

#include <CLI/CLI.hpp>
#include <string>

#include "config/duration.h"

namespace spanloom::app {

void DeclareDrainTimeout(CLI::App& command, std::chrono::milliseconds& timeout) {
  command
      .add_option_function<std::string>(
          "--drain-timeout",
          [&timeout](const std::string& text) {
            const auto duration = config::ParseDuration(text);
            if (!duration || duration->count() < 0) {
              throw CLI::ValidationError("--drain-timeout", "\"" + text + "\" is no duration, such as 20s or 500ms");
            }
            timeout = std::chrono::ceil<std::chrono::milliseconds>(*duration);
          },
          "How long a stop may take to deliver what is held")
      ->type_name("DURATION")
      ->default_str("20s")
      ->envname("SPANLOOM_DRAIN_TIMEOUT");
}

}  // namespace spanloom::app
