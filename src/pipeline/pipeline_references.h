// SPDX-License-Identifier: Apache-2.0
//
// Whether the options of connectors that choose among pipelines name pipelines that they can reach.

#pragma once

#include "config/problems.h"
#include "pipeline/registry.h"
#include "pipeline/service_config.h"

namespace spanloom::pipeline {

// Adds a problem for each pipeline named by a connector that runs: one that there is not, that does not begin with the
// connector, or that takes another signal than one of the pipelines that end in it. Adds a warning for each pipeline
// that begins with such a connector and is not named by it, since nothing comes to it from there.
void CheckPipelineReferences(ServiceConfig& config, const Registry& registry, config::Problems& problems);

}  // namespace spanloom::pipeline
