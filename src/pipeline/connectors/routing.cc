// SPDX-License-Identifier: Apache-2.0

#include "pipeline/connectors/routing.h"

#include <memory>

#include "base/log.h"

namespace spanloom::pipeline {
namespace {

constexpr ComponentDoc kDoc = {
    .words =
        "Sends spans to one pipeline or another. Its routes are asked in order: of a resource for all of its spans, of "
        "each span, or of the request they came with. The first that matches moves them to its pipelines; one with "
        "`action: copy` gives its pipelines a copy, and the next are asked too. What no route has moved goes to "
        "`default_pipelines`. One answer is made of those of all pipelines: if one of them refuses for the moment, the "
        "sender is told to send again, and those that took their spans may get them twice (a store joins them). "
        "Metrics "
        "and logs are routed by context request alone, unread.",
    .example = R"yaml(connectors:
  routing:
    default_pipelines: [traces]
    error_mode: ignore
    table:
      - context: request
        condition: request["X-Tenant"] == "acme"
        pipelines: [traces/acme]
      - condition: resource.attributes["service.name"] == "canary"
        pipelines: [traces/canary]
      - condition: span.status.code == STATUS_CODE_ERROR
        action: copy
        pipelines: [traces/canary]
exporters:
  debug/acme:
  debug/canary:
service:
  pipelines:
    traces/in:
      receivers: [otlp]
      exporters: [routing]
    traces:
      receivers: [routing]
      exporters: [spanloom_store]
    traces/acme:
      receivers: [routing]
      exporters: [debug/acme]
    traces/canary:
      receivers: [routing]
      exporters: [debug/canary]
)yaml",
};

}  // namespace

RoutingConnector::RoutingConnector(const ComponentId& id, const RoutingOptions& options, const BuildContext& context)
    : id_(id.ToString()), table_(id_, options, context.clock) {}

Status RoutingConnector::Start() {
  for (const std::string& condition : table_.left_out()) {
    Log(LogLevel::kWarn, "a route is left out, because one before it asks the same",
        {{"connector", id_}, {"condition", condition}, {"advice", "name all pipelines in one route"}});
  }
  return absl::OkStatus();
}

void RegisterRoutingConnector(Registry& registry) {
  registry.connectors.Add<RoutingOptions>(
      "routing", kDoc,
      [](const ComponentId& id, const RoutingOptions& options, const BuildContext& context) {
        return std::make_unique<RoutingConnector>(id, options, context);
      },
      EverySignal());
}

}  // namespace spanloom::pipeline
