// SPDX-License-Identifier: Apache-2.0

#include "pipeline/telemetry_config.h"

#include <optional>

#include "base/text.h"
#include "pipeline/own_resource_config.h"

namespace spanloom::pipeline {
namespace {

struct TelemetryOptions {
  OwnLogsOptions logs;
  OwnMetricsOptions metrics;
  OwnTracesOptions traces;
  std::optional<config::Node> resource;
  void Declare(config::OptionsReader& r) {
    r.Field("logs", logs, "The log of this process.");
    r.Field("metrics", metrics, "The metrics of this process.");
    r.Field("traces", traces, "The spans that this process makes about itself.");
    r.Field("resource", resource,
            "Attributes of this process beside its own: {service.name: edge, service.version: null}, where null takes "
            "one of its own away, or {attributes: [{name: service.name, value: edge}]}.");
  }
};

}  // namespace

TelemetryConfig ReadTelemetry(const config::Node& node, std::string_view path, config::Problems& problems) {
  const size_t problems_before = problems.size();
  const auto options = config::ReadOptions<TelemetryOptions>(node, path, problems);
  TelemetryConfig telemetry;
  if (options.resource) {
    telemetry.resource = ReadOwnResource(*options.resource, StrCat(path, "::resource"), problems);
  }
  telemetry.node = node;
  if (problems.size() > problems_before) return telemetry;
  telemetry.log = options.logs.Config();
  telemetry.log_routes = options.logs.Routes();
  telemetry.has_detailed_metrics = options.metrics.IsDetailed();
  telemetry.metrics_pages = options.metrics.Pages();
  telemetry.metrics_views = options.metrics.Views();
  telemetry.metrics_pushes = options.metrics.Pushes();
  telemetry.traces = options.traces.Config();
  return telemetry;
}

std::vector<config::OptionDoc> DescribeTelemetry() {
  return config::DescribeOptions<TelemetryOptions>();
}

}  // namespace spanloom::pipeline
