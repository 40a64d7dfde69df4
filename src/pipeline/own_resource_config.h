// SPDX-License-Identifier: Apache-2.0
//
// service.telemetry.resource: attributes of this process, in both of the Collector's forms. The one is a map of names
// and texts; the other is that of the OpenTelemetry configuration schema 0.3, a list below `attributes`.

#pragma once

#include <string_view>

#include "config/node.h"
#include "config/options.h"
#include "config/problems.h"

namespace spanloom::pipeline {

// In order; an empty text takes away a default, as null does in the map. What is wrong goes to `problems`, under
// `path`.
config::StringMap ReadOwnResource(const config::Node& node, std::string_view path, config::Problems& problems);

}  // namespace spanloom::pipeline
