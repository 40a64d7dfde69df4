// SPDX-License-Identifier: Apache-2.0

#include "pipeline/pipeline_references.h"

#include <absl/algorithm/container.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_join.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "config/nearest.h"

namespace spanloom::pipeline {
namespace {

using config::Node;

// Where `path` ("table::0::pipelines") stands in `options`; where these stand, if it does not.
const config::Source& SourceOf(const Node& options, std::string_view path) {
  const Node* node = &options;
  while (!path.empty() && node != nullptr) {
    const size_t end = path.find("::");
    const std::string_view step = path.substr(0, end);
    size_t index = 0;
    if (!node->is_list()) {
      node = node->Find(step);
    } else if (absl::SimpleAtoi(AbslView(step), &index) && index < node->items().size()) {
      node = &node->items()[index];
    } else {
      node = nullptr;
    }
    path = end == std::string_view::npos ? std::string_view() : path.substr(end + 2);
  }
  return node == nullptr ? options.source() : node->source();
}

// Checks what one connector names.
class ReferenceCheck {
 public:
  ReferenceCheck(const ComponentId& connector, const Node& options, ServiceConfig& config, config::Problems& problems)
      : connector_(connector), options_(options), config_(config), problems_(problems) {
    for (const PipelineConfig& pipeline : config.pipelines) {
      if (absl::c_linear_search(pipeline.exporters, connector)) ends_.push_back(&pipeline);
      if (absl::c_linear_search(pipeline.receivers, connector)) begins_.push_back(&pipeline);
    }
  }

  // One that nothing ends in does not run, or has been reported.
  [[nodiscard]] bool runs() const { return !ends_.empty() && !begins_.empty(); }

  void Check(const PipelineReference& reference) {
    const auto begun =
        absl::c_find_if(begins_, [&](const PipelineConfig* pipeline) { return pipeline->id == reference.pipeline; });
    if (begun != begins_.end()) return CheckSignal(reference, (*begun)->signal);
    const std::string name = reference.pipeline.ToString();
    const std::vector<std::string> valid = Reachable();
    const bool exists = absl::c_any_of(
        config_.pipelines, [&](const PipelineConfig& pipeline) { return pipeline.id == reference.pipeline; });
    Report(reference, StrCat("names pipeline \"", name, "\", ",
                             exists ? StrCat("which has not \"", connector_.ToString(), "\" among its receivers")
                                    : std::string("which is not configured"),
                             " (valid, because they receive from it: ", absl::StrJoin(valid, ", "),
                             exists ? "" : config::DidYouMean(name, valid), ")"));
  }

  void WarnOfUnnamed(const std::vector<PipelineReference>& references) {
    for (const PipelineConfig* pipeline : begins_) {
      const auto names = [&](const PipelineReference& reference) { return reference.pipeline == pipeline->id; };
      if (absl::c_any_of(references, names)) continue;
      config_.warnings.push_back(StrCat("service::pipelines::", pipeline->id.ToString(), ": receives nothing from \"",
                                        connector_.ToString(), "\", which does not name it in its options"));
    }
  }

 private:
  [[nodiscard]] std::vector<std::string> Reachable() const {
    std::vector<std::string> names;
    for (const PipelineConfig* pipeline : begins_) names.push_back(pipeline->id.ToString());
    return names;
  }

  void CheckSignal(const PipelineReference& reference, otlp::Signal signal) {
    for (const PipelineConfig* from : ends_) {
      if (from->signal == signal) continue;
      Report(reference,
             StrCat("names pipeline \"", reference.pipeline.ToString(), "\", which takes ", otlp::SignalText(signal),
                    ", but pipeline \"", from->id.ToString(), "\", which ends in \"", connector_.ToString(),
                    "\", gives ", otlp::SignalText(from->signal), "; use a connector for each signal"));
    }
  }

  void Report(const PipelineReference& reference, const std::string& text) {
    problems_.Add(StrCat("connectors::", connector_.ToString(), "::", reference.path), text,
                  SourceOf(options_, reference.path));
  }

  const ComponentId& connector_;
  const Node& options_;
  ServiceConfig& config_;
  config::Problems& problems_;
  std::vector<const PipelineConfig*> ends_;    // that have it among their exporters
  std::vector<const PipelineConfig*> begins_;  // that have it among their receivers
};

}  // namespace

void CheckPipelineReferences(ServiceConfig& config, const Registry& registry, config::Problems& problems) {
  for (const auto& [id, options] : config.connectors) {
    const auto* factory = registry.connectors.Find(id.type);
    if (factory == nullptr || !factory->pipelines) continue;
    ReferenceCheck check(id, options, config, problems);
    if (!check.runs()) continue;
    const std::vector<PipelineReference> references = factory->pipelines(options);
    for (const PipelineReference& reference : references) check.Check(reference);
    check.WarnOfUnnamed(references);
  }
}

}  // namespace spanloom::pipeline
