// SPDX-License-Identifier: Apache-2.0

#include "app/config_verbs.h"

#include <absl/strings/str_join.h>

#include <cstdio>
#include <string>
#include <vector>

#include "app/components.h"
#include "app/load_config.h"
#include "base/log.h"
#include "base/text.h"
#include "config/print.h"
#include "pipeline/service_config.h"

namespace spanloom::app {
namespace {

StatusOr<pipeline::ServiceConfig> ReadConfig(const ServeArguments& arguments) {
  ASSIGN_OR_RETURN(const ComposedConfig composed, LoadConfig(arguments));
  pipeline::Registry registry;
  RegisterCollectorComponents(registry);
  RegisterStoreComponents(registry, nullptr);
  return pipeline::ParseServiceConfig(composed.root, registry);
}

}  // namespace

int PrintConfig(const ServeArguments& arguments) {
  const StatusOr<ComposedConfig> composed = LoadConfig(arguments);
  if (!composed.ok()) {
    Log(LogLevel::kError, StdView(composed.status().message()));
    return 1;
  }
  std::fputs(config::ToYaml(composed->root, config::Secrets::kRedacted).c_str(), stdout);
  return 0;
}

int ValidateConfig(const ServeArguments& arguments) {
  const StatusOr<pipeline::ServiceConfig> config = ReadConfig(arguments);
  if (!config.ok()) {
    std::fputs(StrCat(config.status().message(), "\n").c_str(), stderr);
    return 1;
  }
  for (const std::string& warning : config->warnings) Log(LogLevel::kWarn, warning);
  std::vector<std::string> pipelines;
  for (const pipeline::PipelineConfig& pipeline : config->pipelines) pipelines.push_back(pipeline.id.ToString());
  std::fputs(StrCat("the configuration is valid (pipelines: ", absl::StrJoin(pipelines, ", "), ")\n").c_str(), stdout);
  return 0;
}

}  // namespace spanloom::app
