// SPDX-License-Identifier: Apache-2.0
//
// From the command line of `serve` to the configuration that it runs.

#pragma once

#include <stop_token>

#include "app/compose_config.h"
#include "app/serve_arguments.h"
#include "base/status.h"

namespace spanloom::app {

// Reads the files and URLs, applies the settings, replaces ${...} from the process environment, and lays the result
// over the built-in configuration. Variables that are not set are logged. Errors: those of ReadConfiguration, and of
// what is there.
StatusOr<ComposedConfig> LoadConfig(const ServeArguments& arguments, std::stop_token hurry = {});

}  // namespace spanloom::app
