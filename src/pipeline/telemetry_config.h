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
#include "pipeline/own_metrics_config.h"
#include "pipeline/own_traces_config.h"

namespace spanloom::pipeline {

struct TelemetryConfig {
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kText;
  std::vector<PrometheusReaderOptions> metrics_pages;  // none if the metrics are not shown
  std::optional<OwnTracesConfig> traces;               // nullopt: no spans about this process
  config::StringMap resource;  // attributes of this process as written; an empty one takes the default away
};

// What is wrong goes to `problems`, under `path`.
TelemetryConfig ReadTelemetry(const config::Node& node, std::string_view path, config::Problems& problems);

// The keys, for the reference pages.
std::vector<config::OptionDoc> DescribeTelemetry();

}  // namespace spanloom::pipeline
