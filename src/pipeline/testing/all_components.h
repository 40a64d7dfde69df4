// SPDX-License-Identifier: Apache-2.0
//
// For tests: a registry with every component of pipeline/.

#pragma once

#include "pipeline/registry.h"
#include "store/span_store.h"

namespace spanloom::pipeline {

// `store` outlives what is made from the registry.
Registry AllComponents(store::SpanStore& store);

}  // namespace spanloom::pipeline
