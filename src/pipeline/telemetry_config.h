// SPDX-License-Identifier: Apache-2.0
//
// service.telemetry: how the process reports on itself.

#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "config/node.h"
#include "config/options.h"
#include "config/problems.h"
#include "pipeline/own_logs_config.h"
#include "pipeline/own_metrics_config.h"
#include "pipeline/own_traces_config.h"

namespace spanloom::pipeline {

struct TelemetryConfig {
  LogOptions log;                          // but for its resource
  std::vector<sdk::SpanRoute> log_routes;  // where the log is sent
  bool has_detailed_metrics = false;
  std::vector<PrometheusReaderOptions> metrics_pages;  // none if the metrics are not shown
  std::vector<MetricView> metrics_views;               // how they are shown and sent
  std::vector<MetricsPush> metrics_pushes;             // where they are sent
  std::optional<sdk::TracingOptions> traces;           // nullopt: no spans about this process
  config::StringMap resource;  // attributes of this process as written; an empty one takes the default away
  config::Node node;           // all of it, as written: to tell what a reload has changed
};

// What is wrong goes to `problems`, under `path`.
TelemetryConfig ReadTelemetry(const config::Node& node, std::string_view path, config::Problems& problems);

// The keys, for the reference pages.
std::vector<config::OptionDoc> DescribeTelemetry();

}  // namespace spanloom::pipeline
