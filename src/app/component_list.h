// SPDX-License-Identifier: Apache-2.0
//
// What `spanloom collector components` prints: the component types of a registry, in the form of the Collector's list.

#pragma once

#include <string>

#include "pipeline/registry.h"

namespace spanloom::app {

// YAML: buildinfo, then each kind of component with its types, old names beside them, then where a configuration may
// come from.
std::string ComponentList(const pipeline::Registry& registry);

}  // namespace spanloom::app
