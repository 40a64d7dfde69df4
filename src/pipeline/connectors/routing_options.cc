// SPDX-License-Identifier: Apache-2.0

#include "pipeline/connectors/routing_options.h"

#include <absl/algorithm/container.h>

#include <string_view>
#include <utility>

#include "base/text.h"
#include "otlp/signal.h"
#include "pipeline/connectors/compiled_route.h"

namespace spanloom::pipeline {
namespace {

constexpr std::pair<std::string_view, RouteContext> kContexts[] = {
    {"", RouteContext::kInferred},       {"resource", RouteContext::kResource}, {"span", RouteContext::kSpan},
    {"request", RouteContext::kRequest}, {"metric", RouteContext::kMetric},     {"datapoint", RouteContext::kDatapoint},
    {"log", RouteContext::kLog}};

Status CheckPipelineId(const std::string& text) {
  ASSIGN_OR_RETURN(const ComponentId id, ComponentId::Parse(text));
  if (otlp::ParseSignal(id.type)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      StrCat("\"", text, "\" is no pipeline: its id begins with its signal (valid: traces, metrics, logs)"));
}

void DeclarePipelines(config::OptionsReader& r, std::string_view name, std::vector<std::string>& pipelines,
                      std::string_view words) {
  r.Field(name, pipelines, words, CheckPipelineId);
}

// Whether the pipelines take what is not looked into.
bool AreUnread(const std::vector<std::string>& pipelines) {
  return absl::c_any_of(PipelineIds(pipelines),
                        [](const ComponentId& id) { return id.type != otlp::SignalText(otlp::Signal::kTraces); });
}

}  // namespace

std::vector<ComponentId> PipelineIds(const std::vector<std::string>& texts) {
  std::vector<ComponentId> ids;
  for (const std::string& text : texts) {
    StatusOr<ComponentId> id = ComponentId::Parse(text);
    if (id.ok() && !absl::c_linear_search(ids, *id)) ids.push_back(*std::move(id));
  }
  return ids;
}

void RouteOptions::Declare(config::OptionsReader& r) {
  r.Choice<RouteContext>(
      "context", context, kContexts,
      "What the route is asked of: resource (all of its spans go together), span, or request. Empty to tell it from "
      "the first segments of paths (span.name), or resource. metric, datapoint and log are the Collector's and are "
      "refused: metrics and logs are not looked into.");
  r.Field(
      "condition", condition,
      "An OTTL condition; what it holds for takes the route. Of context request, in the form request[\"header\"] == "
      "\"value\", or with !=; the receiver must have include_metadata: true.");
  r.Field(
      "statement", statement,
      "In place of a condition, an OTTL statement: `route() where CONDITION`. delete_key or delete_matching_keys in "
      "place of route do what they say to what takes the route, in its pipelines alone.");
  static constexpr std::pair<std::string_view, RouteAction> kActions[] = {{"move", RouteAction::kMove},
                                                                          {"copy", RouteAction::kCopy}};
  r.Choice<RouteAction>("action", action, kActions,
                        "With move, what takes the route is not asked about by later ones; with copy it is, and goes "
                        "by default_pipelines too if none of them moves it.");
  DeclarePipelines(r, "pipelines", pipelines,
                   "Where what takes the route goes: ids of pipelines that have this connector among their receivers.");
}

Status RouteOptions::Validate() const {
  if (context == RouteContext::kMetric || context == RouteContext::kDatapoint || context == RouteContext::kLog) {
    return absl::InvalidArgumentError(
        "context is one of metrics or logs, which are carried without being looked into; use request, or remove the "
        "route");
  }
  if (condition.empty() && statement.empty()) {
    return absl::InvalidArgumentError("invalid route: no condition or statement provided");
  }
  if (!condition.empty() && !statement.empty()) {
    return absl::InvalidArgumentError("invalid route: both condition and statement provided");
  }
  if (pipelines.empty()) return absl::InvalidArgumentError("invalid route: no pipelines defined");
  if (context == RouteContext::kRequest && condition.empty()) {
    return absl::InvalidArgumentError("statement: \"request\" context requires a 'condition'");
  }
  if (context != RouteContext::kRequest && AreUnread(pipelines)) {
    return absl::InvalidArgumentError(
        "pipelines of metrics and logs carry what they are given without looking into it: they can be chosen by "
        "context: request alone");
  }
  return CompiledRoute::Compile(*this, Clock::System()).status();
}

void RoutingOptions::Declare(config::OptionsReader& r) {
  DeclareErrorMode(r, error_mode);
  DeclarePipelines(r, "default_pipelines", default_pipelines,
                   "Where what no route has moved goes; without it that is dropped, and counted as unrouted.");
  r.Field("table", table, "The routes, asked in order; at least one.");
  r.Unsupported("match_once",
                "the Collector has removed it; the first route that matches moves a span, and action: copy lets later "
                "routes match too",
                "true");
}

Status RoutingOptions::Validate() const {
  if (table.empty()) return absl::InvalidArgumentError("invalid routing table: the routing table is empty");
  return absl::OkStatus();
}

std::vector<PipelineReference> RoutingOptions::PipelineReferences() const {
  std::vector<PipelineReference> references;
  const auto add = [&](const std::string& path, const std::vector<std::string>& pipelines) {
    for (ComponentId& id : PipelineIds(pipelines)) references.push_back({path, std::move(id)});
  };
  add("default_pipelines", default_pipelines);
  for (size_t i = 0; i < table.size(); ++i) add(StrCat("table::", i, "::pipelines"), table[i].pipelines);
  return references;
}

}  // namespace spanloom::pipeline
