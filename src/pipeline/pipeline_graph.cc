// SPDX-License-Identifier: Apache-2.0

#include "pipeline/pipeline_graph.h"

#include <absl/algorithm/container.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kPath = "service::pipelines";

using Ids = std::vector<ComponentId> PipelineConfig::*;

// "[traces/in traces/b]": the pipelines that have `id` in `list` and no partner that has it in the other list; "" if
// all have.
std::string WithoutPartner(const ServiceConfig& config, const Registry& registry, const ComponentId& id, Ids list) {
  const bool as_exporter = list == &PipelineConfig::exporters;
  const Ids partners = as_exporter ? &PipelineConfig::receivers : &PipelineConfig::exporters;
  std::string text;
  for (const PipelineConfig& pipeline : config.pipelines) {
    if (!absl::c_linear_search(pipeline.*list, id)) continue;
    const bool has_partner = absl::c_any_of(config.pipelines, [&](const PipelineConfig& other) {
      return absl::c_linear_search(other.*partners, id) &&
             (as_exporter ? Joins(id, registry, pipeline, other) : Joins(id, registry, other, pipeline));
    });
    if (!has_partner) StrAppend(text, text.empty() ? "" : " ", pipeline.id.ToString());
  }
  return text.empty() ? "" : StrCat("[", text, "]");
}

void CheckUse(const ServiceConfig& config, const Registry& registry, const ComponentId& id, const config::Node& node,
              config::Problems& problems) {
  const std::string name = id.ToString();
  for (const auto& [kind, components] : {std::pair("receiver", &config.receivers), {"exporter", &config.exporters}}) {
    if (!components->contains(id)) continue;
    problems.Add(
        "connectors",
        StrCat("ambiguous id: \"", name, "\" is a connector and ", kind == std::string_view("receiver") ? "a " : "an ",
               kind, "; rename one of them, as in \"", id.type, "/connector\""),
        node.source());
  }
  const std::string ends = WithoutPartner(config, registry, id, &PipelineConfig::exporters);
  if (!ends.empty()) {
    problems.Add(kPath,
                 StrCat("connector \"", name, "\" used as exporter in ", ends,
                        " pipeline but not used in any supported receiver pipeline"),
                 node.source());
  }
  const std::string begins = WithoutPartner(config, registry, id, &PipelineConfig::receivers);
  if (!begins.empty()) {
    problems.Add(kPath,
                 StrCat("connector \"", name, "\" used as receiver in ", begins,
                        " pipeline but not used in any supported exporter pipeline"),
                 node.source());
  }
}

// Walks from pipeline to pipeline, depth first.
class CycleFinder {
 public:
  CycleFinder(const ServiceConfig& config, const Registry& registry, config::Problems& problems)
      : config_(config), registry_(registry), problems_(problems) {}

  void Visit(const PipelineConfig& pipeline) {
    if (done_.contains(pipeline.id)) return;
    way_.push_back(StrCat("pipeline ", pipeline.id.ToString()));
    open_.insert(pipeline.id);
    for (const ComponentId& exporter : pipeline.exporters) {
      if (config_.connectors.contains(exporter)) Follow(pipeline, exporter);
    }
    open_.erase(pipeline.id);
    done_.insert(pipeline.id);
    way_.pop_back();
  }

 private:
  void Follow(const PipelineConfig& from, const ComponentId& connector) {
    way_.push_back(StrCat("connector \"", connector.ToString(), "\""));
    for (const PipelineConfig& fed : config_.pipelines) {
      if (!absl::c_linear_search(fed.receivers, connector) || !Joins(connector, registry_, from, fed)) continue;
      if (open_.contains(fed.id)) {
        Report(StrCat("pipeline ", fed.id.ToString()));
      } else {
        Visit(fed);
      }
    }
    way_.pop_back();
  }

  void Report(const std::string& again) {
    std::string text = "cycle detected: ";
    for (auto step = absl::c_find(way_, again); step != way_.end(); ++step) StrAppend(text, *step, " -> ");
    problems_.Add(StrCat(kPath, ": ", text, again));
  }

  const ServiceConfig& config_;
  const Registry& registry_;
  config::Problems& problems_;
  std::vector<std::string> way_;  // from the pipeline where the walk began
  std::set<ComponentId> open_;    // pipelines on the way
  std::set<ComponentId> done_;
};

}  // namespace

bool Joins(const ComponentId& connector, const Registry& registry, const PipelineConfig& from,
           const PipelineConfig& to) {
  const auto* factory = registry.connectors.Find(connector.type);
  if (factory == nullptr) return true;  // which has been reported
  return absl::c_linear_search(factory->carries.pairs, SignalPair{from.signal, to.signal});
}

void CheckConnectors(const ServiceConfig& config, const Registry& registry, config::Problems& problems) {
  for (const auto& [id, node] : config.connectors) CheckUse(config, registry, id, node, problems);
  CycleFinder finder(config, registry, problems);
  for (const PipelineConfig& pipeline : config.pipelines) finder.Visit(pipeline);
}

}  // namespace spanloom::pipeline
