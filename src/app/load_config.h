// SPDX-License-Identifier: Apache-2.0
//
// From the command line of `serve` to the configuration that it runs.

#pragma once

#include "app/compose_config.h"
#include "app/serve_arguments.h"
#include "base/status.h"

namespace spanloom::app {

// Reads the files, applies the settings, replaces ${...} from the process environment, and lays the result over the
// built-in configuration. Variables that are not set are logged. Errors: kNotFound or kPermissionDenied (a file),
// kInvalidArgument (its content); the message names file and line.
StatusOr<ComposedConfig> LoadConfig(const ServeArguments& arguments);

}  // namespace spanloom::app
