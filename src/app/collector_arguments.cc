// SPDX-License-Identifier: Apache-2.0

#include "app/collector_arguments.h"

#include <CLI/CLI.hpp>
#include <map>

#include "app/version.h"
#include "base/text.h"

namespace spanloom::app {
namespace {

// A flag that may be given again and again, with one value each time.
void AddList(CLI::App& command, const std::string& name, std::vector<std::string>& values, const std::string& words,
             const std::string& type) {
  command.add_option(name, values, words)->type_name(type)->expected(1)->allow_extra_args(false)->take_all();
}

CLI::App* AddVerb(CLI::App& command, const std::string& name, const std::string& words, CollectorVerb verb,
                  CollectorArguments& arguments) {
  return command.add_subcommand(name, words)->fallthrough()->callback([&arguments, verb] { arguments.verb = verb; });
}

}  // namespace

void DeclareCollectorArguments(CLI::App& command, CollectorArguments& arguments) {
  command.set_version_flag("-v,--version", StrCat("spanloom collector version ", Version()));
  AddList(command, "--config", arguments.locations,
          "Where the configuration is: a file, env:NAME or yaml:TEXT; several are merged in order", "LOCATION");
  AddList(command, "--set", arguments.settings, "One setting, a.b.c=value, over the locations", "KEY=VALUE");
  AddList(command, "--feature-gates", arguments.feature_gates, "Taken and left: there are no gates here", "GATES");
  DeclareDrainTimeout(command, arguments.drain_timeout);
  AddVerb(command, "validate", "Say what is wrong with the configuration, a line each with file and line, and end",
          CollectorVerb::kValidate, arguments);
  AddVerb(command, "components", "Print the components that there are, as YAML, and end", CollectorVerb::kComponents,
          arguments);
  CLI::App* print = AddVerb(command, "print-config", "Print the configuration that would run, and end",
                            CollectorVerb::kPrintConfig, arguments);
  print->alias("print-initial-config");
  static const std::map<std::string, ConfigFormat> formats = {{"yaml", ConfigFormat::kYaml},
                                                              {"json", ConfigFormat::kJson}};
  static const std::map<std::string, config::Secrets> modes = {{"redacted", config::Secrets::kRedacted},
                                                               {"unredacted", config::Secrets::kShown}};
  print->add_option("--format", arguments.format, "yaml or json")->transform(CLI::CheckedTransformer(formats));
  print->add_option("--mode", arguments.secrets, "redacted or unredacted: whether secrets are shown")
      ->transform(CLI::CheckedTransformer(modes));
  print->add_flag("--validate", arguments.validates, "Whether a configuration that is wrong is refused");
}

std::vector<std::string> WithTwoDashes(std::vector<std::string> arguments) {
  for (std::string& argument : arguments) {
    const bool has_one_dash = argument.size() > 2 && argument[0] == '-' && argument[1] != '-';
    if (has_one_dash) argument.insert(0, 1, '-');
  }
  return arguments;
}

}  // namespace spanloom::app
