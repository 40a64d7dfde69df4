// SPDX-License-Identifier: Apache-2.0

#include "app/drain_argument.h"

#include <CLI/CLI.hpp>

#include "app/duration_option.h"

namespace spanloom::app {

void DeclareDrainTimeout(CLI::App& command, std::chrono::milliseconds& timeout) {
  AddDuration(command, "--drain-timeout", timeout, "How long a stop may take to deliver what is held", "20s")
      ->envname("SPANLOOM_DRAIN_TIMEOUT");
}

}  // namespace spanloom::app
