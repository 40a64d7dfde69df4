// SPDX-License-Identifier: Apache-2.0
//
// The options of the routing connector, as the Collector has them.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/options.h"
#include "pipeline/processors/ottl_options.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

// What a route is asked of.
enum class RouteContext : uint8_t {
  kInferred,  // by what the paths begin with; the resource, where that does not tell
  kResource,  // once for all spans of a resource
  kSpan,      // of each span
  kRequest,   // once for a request
  kMetric,    // what would have to be looked into, and is not: refused by Validate
  kDatapoint,
  kLog,
};

enum class RouteAction : uint8_t {
  kMove,  // later routes are not asked
  kCopy,  // they are
};

// A line of the table.
struct RouteOptions {
  RouteContext context = RouteContext::kInferred;
  std::string condition = {};
  std::string statement = {};
  RouteAction action = RouteAction::kMove;
  std::vector<std::string> pipelines = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

struct RoutingOptions {
  OttlErrorMode error_mode = OttlErrorMode::kPropagate;
  std::vector<std::string> default_pipelines = {};
  std::vector<RouteOptions> table = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
  // All pipelines that are named; texts that are no ids are passed over.
  [[nodiscard]] std::vector<PipelineReference> PipelineReferences() const;
};

// The ids in `texts`, each once; texts that are none, which have been refused, are passed over.
[[nodiscard]] std::vector<ComponentId> PipelineIds(const std::vector<std::string>& texts);

}  // namespace spanloom::pipeline
