// SPDX-License-Identifier: Apache-2.0
//
// What `serve` does with a configuration instead of running it. Each returns the exit code: 0, or 1 if the
// configuration can't be read.

#pragma once

#include "app/serve_arguments.h"

namespace spanloom::app {

// Prints what would run, secrets redacted, on standard output.
int PrintConfig(const ServeArguments& arguments);

// Says on standard output that the configuration is valid, or on standard error all that is wrong with it, a line each:
// "config.yaml:12: processors::batch: has invalid keys: foo (valid: ...)". Warnings go to the log. What shows only when
// it runs is not seen: a port that is taken, a host that is not there.
int ValidateConfig(const ServeArguments& arguments);

}  // namespace spanloom::app
