// SPDX-License-Identifier: Apache-2.0
//
// Where the configuration of this process comes from: files, URLs, the environment, the command
// line.

#pragma once

#include <span>
#include <stop_token>
#include <string>

#include "base/status.h"
#include "config/expand.h"

namespace spanloom::app {

// The content of a file, at most config::kYamlBytesMax; a larger one is kInvalidArgument. Blocks.
StatusOr<std::string> ReadConfigurationFile(const std::string& path);

// Reads what `locations` name (config/location.h) in order, lays `settings` ("a.b.c=value") over them, and replaces
// ${...}. Each URL is fetched once (app/config_fetch.h), which blocks, unless there is a hurry; not to be called on a
// loop. Variables that are not set are logged. Errors: kNotFound or kPermissionDenied (a file), those of FetchText (a
// URL), kInvalidArgument (what is there, or a value that refers to what is not); the message names file and line.
StatusOr<config::Node> ReadConfiguration(std::span<const std::string> locations, std::span<const std::string> settings,
                                         std::stop_token hurry = {});

}  // namespace spanloom::app
