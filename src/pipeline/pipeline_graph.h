// SPDX-License-Identifier: Apache-2.0
//
// How connectors may join pipelines.

#pragma once

#include "config/problems.h"
#include "pipeline/service_config.h"

namespace spanloom::pipeline {

// Adds a problem for each connector that has the id of a receiver or exporter, that only ends pipelines or only begins
// them, and for each way in which spans would come back to a pipeline they have left.
void CheckConnectors(const ServiceConfig& config, config::Problems& problems);

}  // namespace spanloom::pipeline
