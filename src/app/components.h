// SPDX-License-Identifier: Apache-2.0
//
// The one list of concrete components.

#pragma once

#include "pipeline/exporters/spanloom_store.h"
#include "pipeline/registry.h"
#include "query/query_server.h"

namespace spanloom::app {

// Registers what a collector has.
void RegisterCollectorComponents(pipeline::Registry& registry);

// Registers what belongs to the store besides: its exporter and the query servers. `store` is asked when components are
// made, which is after the store was opened; it may be null where none is made. `insight` outlives the components.
void RegisterStoreComponents(pipeline::Registry& registry, pipeline::StoreSource store,
                             const query::InsightSources& insight = {});

}  // namespace spanloom::app
