// SPDX-License-Identifier: Apache-2.0

#include "app/collector.h"

#include <absl/algorithm/container.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <stop_token>
#include <utility>

#include "app/collector_arguments.h"
#include "app/component_list.h"
#include "app/components.h"
#include "app/config_sources.h"
#include "app/process.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "pipeline/service_config.h"

namespace spanloom::app {
namespace {

constexpr int kError = 1;
constexpr const char* kName = "spanloom collector";
constexpr const char* kWords = "Collector for traces: runs a configuration of the OpenTelemetry Collector";

int Fail(std::string_view what) {
  std::fputs(StrCat("Error: ", what, "\n").c_str(), stderr);
  return kError;
}

StatusOr<config::Node> Load(const CollectorArguments& arguments, std::stop_token hurry = {}) {
  return ReadConfiguration(arguments.locations, arguments.settings, std::move(hurry));
}

Status Check(const config::Node& root) {
  pipeline::Registry registry;
  RegisterCollectorComponents(registry);
  return pipeline::ParseServiceConfig(root, registry).status();
}

int Validate(const CollectorArguments& arguments) {
  const StatusOr<config::Node> root = Load(arguments);
  const Status status = root.ok() ? Check(*root) : root.status();
  return status.ok() ? 0 : Fail(StdView(status.message()));
}

int PrintConfig(const CollectorArguments& arguments) {
  const StatusOr<config::Node> root = Load(arguments);
  if (!root.ok()) return Fail(StdView(root.status().message()));
  if (arguments.validates) {
    if (const Status status = Check(*root); !status.ok()) return Fail(StdView(status.message()));
  }
  const auto print = arguments.format == ConfigFormat::kYaml ? config::ToYaml : config::ToJson;
  std::fputs(print(*root, arguments.secrets).c_str(), stdout);
  return 0;
}

int PrintComponents() {
  pipeline::Registry registry;
  RegisterCollectorComponents(registry);
  std::fputs(ComponentList(registry).c_str(), stdout);
  return 0;
}

void LogFeatureGates(const CollectorArguments& arguments) {
  for (const std::string& gates : arguments.feature_gates) {
    Log(LogLevel::kWarn, "feature gates have no meaning here and are left",
        {{"gates", gates}, {"advice", "remove --feature-gates"}});
  }
}

int Run(const CollectorArguments& arguments, int64_t begin_ns) {
  LogFeatureGates(arguments);
  const ProcessPlan plan{.load_config = [&](std::stop_token hurry) -> StatusOr<ComposedConfig> {
                           ASSIGN_OR_RETURN(config::Node root, Load(arguments, std::move(hurry)));
                           return ComposedConfig{.root = std::move(root), .notes = {}};
                         },
                         .drain_timeout = arguments.drain_timeout};
  return RunProcess(plan, begin_ns);
}

}  // namespace

cli::reference::CommandDoc DescribeCollector() {
  CLI::App command(kWords, kName);
  CollectorArguments arguments;
  DeclareCollectorArguments(command, arguments);
  return cli::reference::ReadCommand(command);
}

int RunCollector(const std::vector<std::string>& arguments) {
  const int64_t begin_ns = Clock::System().SteadyNs();
  CLI::App command(kWords, kName);
  CollectorArguments parsed;
  DeclareCollectorArguments(command, parsed);
  try {
    std::vector<std::string> reversed = WithTwoDashes(arguments);  // as CLI11 takes them
    absl::c_reverse(reversed);
    command.parse(std::move(reversed));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return command.exit(error);
    return Fail(error.what());
  }
  if (parsed.verb == CollectorVerb::kComponents) return PrintComponents();
  if (parsed.locations.empty() && parsed.settings.empty()) {
    std::fputs(command.help().c_str(), stdout);
    return Fail("at least one config flag must be provided");
  }
  if (parsed.verb == CollectorVerb::kValidate) return Validate(parsed);
  if (parsed.verb == CollectorVerb::kPrintConfig) return PrintConfig(parsed);
  return Run(parsed, begin_ns);
}

}  // namespace spanloom::app
