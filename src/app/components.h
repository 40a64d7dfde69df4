// SPDX-License-Identifier: Apache-2.0
//
// The one list of concrete components.

#pragma once

#include "findings/findings_source.h"
#include "pipeline/exporters/spanloom_store.h"
#include "pipeline/receivers/sender_table.h"
#include "pipeline/registry.h"
#include "query/query_server.h"

namespace spanloom::app {

// Registers what a collector has. Receivers count who sends in `senders`, which outlives them, if there is that;
// zpages shows `findings`, which does too.
void RegisterCollectorComponents(pipeline::Registry& registry, pipeline::SenderTable* senders = nullptr,
                                 findings::FindingsSource* findings = nullptr);

// Registers what belongs to the store besides: its exporter and the query servers. `store` is asked when components are
// made, which is after the store was opened; it may be null where none is made. `insight` outlives the components.
void RegisterStoreComponents(pipeline::Registry& registry, pipeline::StoreSource store,
                             const query::InsightSources& insight = {});

}  // namespace spanloom::app
