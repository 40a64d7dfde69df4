// SPDX-License-Identifier: Apache-2.0
//
// The one list of concrete components.

#pragma once

#include "pipeline/exporters/spanloom_store.h"
#include "pipeline/registry.h"

namespace spanloom::app {

// Registers every component that this binary has. `store` is asked when components are made, which is after the store
// was opened; it may be null where none is made.
void RegisterComponents(pipeline::Registry& registry, pipeline::StoreSource store);

}  // namespace spanloom::app
