// SPDX-License-Identifier: Apache-2.0
//
// The spanloom_query extension: joins the query server, which knows nothing of pipelines, to the engine's start and
// stop.

#pragma once

#include "pipeline/exporters/spanloom_store.h"
#include "pipeline/registry.h"
#include "query/query_server.h"

namespace spanloom::app {

// Extension type "spanloom_query": the page and Jaeger's HTTP API over the store, and our own over `insight`, which
// outlives the extensions.
void RegisterQueryExtension(pipeline::Registry& registry, pipeline::StoreSource store,
                            const query::InsightSources& insight = {});

}  // namespace spanloom::app
