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

// "[traces/in traces/b]": the pipelines that have `id` among their receivers or exporters.
std::string PipelinesWith(const ServiceConfig& config, const ComponentId& id,
                          std::vector<ComponentId> PipelineConfig::*list) {
  std::string text;
  for (const PipelineConfig& pipeline : config.pipelines) {
    if (absl::c_linear_search(pipeline.*list, id)) StrAppend(text, text.empty() ? "" : " ", pipeline.id.ToString());
  }
  return text.empty() ? "" : StrCat("[", text, "]");
}

void CheckUse(const ServiceConfig& config, const ComponentId& id, const config::Node& node,
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
  const std::string begins = PipelinesWith(config, id, &PipelineConfig::receivers);
  const std::string ends = PipelinesWith(config, id, &PipelineConfig::exporters);
  if (begins.empty() == ends.empty()) return;
  problems.Add(kPath,
               begins.empty() ? StrCat("connector \"", name, "\" used as exporter in ", ends,
                                       " pipeline but not used in any supported receiver pipeline")
                              : StrCat("connector \"", name, "\" used as receiver in ", begins,
                                       " pipeline but not used in any supported exporter pipeline"),
               node.source());
}

// Walks from pipeline to pipeline, depth first.
class CycleFinder {
 public:
  CycleFinder(const ServiceConfig& config, config::Problems& problems) : config_(config), problems_(problems) {}

  void Visit(const PipelineConfig& pipeline) {
    if (done_.contains(pipeline.id)) return;
    way_.push_back(StrCat("pipeline ", pipeline.id.ToString()));
    open_.insert(pipeline.id);
    for (const ComponentId& exporter : pipeline.exporters) {
      if (config_.connectors.contains(exporter)) Follow(exporter);
    }
    open_.erase(pipeline.id);
    done_.insert(pipeline.id);
    way_.pop_back();
  }

 private:
  void Follow(const ComponentId& connector) {
    way_.push_back(StrCat("connector \"", connector.ToString(), "\""));
    for (const PipelineConfig& fed : config_.pipelines) {
      if (!absl::c_linear_search(fed.receivers, connector)) continue;
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
  config::Problems& problems_;
  std::vector<std::string> way_;  // from the pipeline where the walk began
  std::set<ComponentId> open_;    // pipelines on the way
  std::set<ComponentId> done_;
};

}  // namespace

void CheckConnectors(const ServiceConfig& config, config::Problems& problems) {
  for (const auto& [id, node] : config.connectors) CheckUse(config, id, node, problems);
  CycleFinder finder(config, problems);
  for (const PipelineConfig& pipeline : config.pipelines) finder.Visit(pipeline);
}

}  // namespace spanloom::pipeline
