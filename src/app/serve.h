// SPDX-License-Identifier: Apache-2.0
//
// `spanloom serve`: collector, store, query API and page in one process.

#pragma once

#include "app/serve_arguments.h"

namespace spanloom::app {

// Runs until SIGTERM or SIGINT, then drains. Returns the exit code: 0 after a clean stop, 1 if it could not start or
// could not keep what it held.
int Serve(const ServeArguments& arguments);

}  // namespace spanloom::app
