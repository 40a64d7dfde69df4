// SPDX-License-Identifier: Apache-2.0
//
// How connectors may join pipelines.

#pragma once

#include "config/problems.h"
#include "pipeline/registry.h"
#include "pipeline/service_config.h"

namespace spanloom::pipeline {

// True if what comes out of `from`, at whose end the connector stands, can go into `to`, at whose beginning it stands.
bool Joins(const ComponentId& connector, const Registry& registry, const PipelineConfig& from,
           const PipelineConfig& to);

// Adds a problem for each connector that has the id of a receiver or exporter, that only ends pipelines or only begins
// them (those of a signal that it makes nothing of do not count), and for each way in which spans would come back to a
// pipeline they have left.
void CheckConnectors(const ServiceConfig& config, const Registry& registry, config::Problems& problems);

}  // namespace spanloom::pipeline
