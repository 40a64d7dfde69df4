// SPDX-License-Identifier: Apache-2.0

#include "app/serve.h"

#include <absl/algorithm/container.h>

#include <CLI/CLI.hpp>
#include <utility>

#include "app/config_verbs.h"
#include "app/load_config.h"
#include "app/process.h"
#include "app/serve_arguments.h"
#include "base/clock.h"

namespace spanloom::app {
namespace {

constexpr int kUsageError = 2;
constexpr const char* kName = "spanloom serve";
constexpr const char* kWords = "Collector, store, query API and page in one process";

int Serve(const ServeArguments& arguments) {
  const int64_t begin_ns = Clock::System().SteadyNs();
  const ProcessPlan plan{.load_config = [&](std::stop_token hurry) { return LoadConfig(arguments, std::move(hurry)); },
                         .listen_host = arguments.listen_host,
                         .has_store = true,
                         .log_format = arguments.log_format,
                         .log_level = arguments.log_level,
                         .drain_timeout = arguments.drain_timeout};
  SetUpLog(plan);
  if (arguments.verb == ServeVerb::kPrintConfig) return PrintConfig(arguments);
  if (arguments.verb == ServeVerb::kValidate) return ValidateConfig(arguments);
  return RunProcess(plan, begin_ns);
}

}  // namespace

cli::reference::CommandDoc DescribeServe() {
  CLI::App command(kWords, kName);
  ServeArguments arguments;
  DeclareServeArguments(command, arguments);
  return cli::reference::ReadCommand(command);
}

int RunServe(const std::vector<std::string>& arguments) {
  CLI::App command(kWords, kName);
  ServeArguments parsed;
  DeclareServeArguments(command, parsed);
  try {
    std::vector<std::string> reversed = arguments;  // as CLI11 takes them
    absl::c_reverse(reversed);
    command.parse(std::move(reversed));
  } catch (const CLI::ParseError& error) {
    return command.exit(error) == 0 ? 0 : kUsageError;
  }
  return Serve(parsed);
}

}  // namespace spanloom::app
