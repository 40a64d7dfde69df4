// SPDX-License-Identifier: Apache-2.0

#include "app/commands.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "app/collector.h"
#include "app/reference_verbs.h"
#include "app/routing_proxy.h"
#include "app/serve.h"
#include "app/simulator.h"
#include "app/version.h"
#include "cli/demo/demo.h"
#include "cli/demo/options.h"
#include "cli/doctor/doctor_command.h"
#include "cli/store/store_command.h"
#include "cli/tracegen/options.h"
#include "cli/tracegen/tracegen.h"

namespace spanloom::app {
namespace {

using cli::reference::CommandDoc;

constexpr int kUsageError = 2;

// A command that takes what stands behind its name.
template <int (*kRun)(const std::vector<std::string>&)>
int RunArguments(int argc, char** argv) {
  return kRun({argv + 1, argv + argc});
}

template <int (*kRun)(int, const char* const*)>
int RunCli(int argc, char** argv) {
  return kRun(argc, argv);
}

constexpr auto kCommands = std::to_array<Command>({
    {"serve", RunArguments<RunServe>, DescribeServe, true},
    {"collector", RunArguments<RunCollector>, DescribeCollector, true},
    {"demo", RunCli<cli::demo::Run>, cli::demo::Describe},
    {"doctor", cli::doctor::Run, cli::doctor::Describe},
    {"routing-proxy", RunArguments<RunRoutingProxy>, DescribeRoutingProxy, true},
    {"simulator", RunArguments<RunSimulator>, DescribeSimulator, true},
    {"store", RunCli<cli::store::Run>, cli::store::Describe},
    {"tracegen", RunCli<cli::tracegen::Run>, cli::tracegen::Describe},
    {"completion", RunArguments<RunCompletion>, DescribeCompletion},
    {"config-reference", RunArguments<RunConfigReference>, DescribeConfigReference},
    {"man", RunArguments<RunMan>, DescribeMan},
});

// The words before a command. Those of commands are added for help, which lists them.
class OuterLine {
 public:
  OuterLine() {
    app.set_version_flag("--version", VersionText());
    app.require_subcommand(1);
  }

  CLI::App app{"Distributed tracing for LLM inference", "spanloom"};
};

}  // namespace

std::span<const Command> Commands() {
  return kCommands;
}

const Command* FindCommand(std::string_view name) {
  const auto* const found =
      std::ranges::find(kCommands, name, [](const Command& each) { return std::string_view(each.name); });
  return found == kCommands.end() ? nullptr : found;
}

CommandDoc DescribeSpanloom() {
  CommandDoc root = cli::reference::ReadCommand(OuterLine().app);
  for (const Command& command : kCommands) {
    CommandDoc doc = command.describe();
    doc.name = command.name;
    root.commands.push_back(std::move(doc));
  }
  return root;
}

int RunWithoutCommand(int argc, char** argv) {
  OuterLine line;
  for (const Command& command : kCommands) line.app.add_subcommand(command.name, command.describe().words);
  try {
    line.app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return line.app.exit(error) == 0 ? 0 : kUsageError;
  }
  std::fputs("spanloom: the first word has to be a command; try: spanloom --help\n", stderr);
  return kUsageError;
}

}  // namespace spanloom::app
