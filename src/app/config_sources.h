// SPDX-License-Identifier: Apache-2.0
//
// Where the configuration of this process comes from: files, the environment, the command line.

#pragma once

#include <span>
#include <string>

#include "base/status.h"
#include "config/expand.h"

namespace spanloom::app {

// Reads what `locations` name (config/location.h) in order, lays `settings` ("a.b.c=value") over them, and replaces
// ${...}. Variables that are not set are logged. Errors: kNotFound or kPermissionDenied (a file), kInvalidArgument
// (its content); the message names file and line.
StatusOr<config::Node> ReadConfiguration(std::span<const std::string> locations, std::span<const std::string> settings);

}  // namespace spanloom::app
