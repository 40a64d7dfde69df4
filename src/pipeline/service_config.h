// SPDX-License-Identifier: Apache-2.0
//
// A Collector configuration, read and checked: which components there are, how they are joined into pipelines, and how
// the process reports on itself. Nothing is made or opened here.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/status.h"
#include "config/node.h"
#include "pipeline/component_id.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

using ComponentNodes = std::map<ComponentId, config::Node>;  // options as written; checked

struct PipelineConfig {
  ComponentId id;  // type "traces"
  // In order, without repetition; all of them are configured. Receivers and exporters are never empty.
  std::vector<ComponentId> receivers;
  std::vector<ComponentId> processors;
  std::vector<ComponentId> exporters;
};

// service.telemetry.
struct TelemetryConfig {
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kText;
  bool metrics_enabled = true;   // false for level: none
  std::string metrics_endpoint;  // "" if not written out: port 8888 of the host for listeners
};

struct ServiceConfig {
  ComponentNodes receivers;
  ComponentNodes processors;
  ComponentNodes exporters;
  ComponentNodes extensions;
  std::vector<ComponentId> enabled_extensions;  // service.extensions
  std::vector<PipelineConfig> pipelines;
  TelemetryConfig telemetry;
  std::vector<std::string> warnings;  // a line each: old names and such
};

// kInvalidArgument lists everything that is wrong, a line each, with file and line. Components that no pipeline uses
// are checked too.
StatusOr<ServiceConfig> ParseServiceConfig(const config::Node& root, const Registry& registry);

}  // namespace spanloom::pipeline
