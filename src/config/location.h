// SPDX-License-Identifier: Apache-2.0
//
// What --config may name, as the Collector's providers have it: a file, a URL, an environment variable, or
// YAML itself.

#pragma once

#include <string_view>

#include "base/status.h"
#include "config/expand.h"
#include "config/load.h"

namespace spanloom::config {

// "file:PATH" or a path alone (one letter before the colon is a path too), "env:NAME" (empty if it is not set),
// "yaml:TEXT", and "http://..." or "https://...". Errors: kInvalidArgument names an unknown scheme, or a variable's
// impossible name; those of `sources`.
StatusOr<ConfigText> ReadLocation(std::string_view location, const ExpansionSources& sources);

}  // namespace spanloom::config
