// SPDX-License-Identifier: Apache-2.0
//
// A Collector configuration, read and checked: which components there are, how they are joined into pipelines, and how
// the process reports on itself. Nothing is made or opened here.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "config/node.h"
#include "pipeline/component_id.h"
#include "pipeline/registry.h"
#include "pipeline/telemetry_config.h"

namespace spanloom::pipeline {

using ComponentNodes = std::map<ComponentId, config::Node>;  // options as written; checked

struct PipelineConfig {
  ComponentId id;                               // of type "traces", "metrics" or "logs"
  otlp::Signal signal = otlp::Signal::kTraces;  // as its type says
  // In order, without repetition; all of them are configured. Receivers and exporters are never empty, and may be
  // connectors; pipeline_graph.h has checked how these join pipelines.
  std::vector<ComponentId> receivers;
  std::vector<ComponentId> processors;
  std::vector<ComponentId> exporters;
};

struct ServiceConfig {
  ComponentNodes receivers;
  ComponentNodes processors;
  ComponentNodes exporters;
  ComponentNodes connectors;
  ComponentNodes extensions;
  std::vector<ComponentId> enabled_extensions;  // service.extensions
  std::vector<PipelineConfig> pipelines;
  TelemetryConfig telemetry;
  std::vector<std::string> warnings;  // a line each: old names and such
};

// kInvalidArgument lists everything that is wrong, a line each, with file and line. Components that no pipeline uses
// are checked too.
StatusOr<ServiceConfig> ParseServiceConfig(const config::Node& root, const Registry& registry);

// The keys of a configuration, and of its `service` with all that stands below, for the reference pages.
std::vector<config::OptionDoc> DescribeRoot();
std::vector<config::OptionDoc> DescribeService();

}  // namespace spanloom::pipeline
