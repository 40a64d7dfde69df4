// SPDX-License-Identifier: Apache-2.0

#include "app/serve_arguments.h"

#include <CLI/CLI.hpp>

namespace spanloom::app {
namespace {

// An option's check in CLI11's manner: "" if `text` is fine. `choices` is as that of CLI::IsMember, for help.
template <typename Parse>
CLI::Validator Checked(Parse parse, const char* choices) {
  return CLI::Validator(
      [parse](std::string& text) {
        const auto parsed = parse(text);
        return parsed.ok() ? std::string() : std::string(parsed.status().message());
      },
      choices);
}

}  // namespace

void DeclareServeArguments(CLI::App& command, ServeArguments& arguments) {
  command.add_option("--config", arguments.config_files, "Collector configuration file; several are merged in order")
      ->type_name("FILE")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  command.add_option("--set", arguments.settings, "One setting, a.b.c=value, over the files")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  CLI::Option* const data_dir =
      command.add_option("--data-dir", arguments.data_dir, "Keep the traces here, on disk")->type_name("DIR");
  command.add_flag("--in-memory", arguments.in_memory, "Keep the traces in memory; they are lost with the process")
      ->excludes(data_dir);
  command.add_option("--listen", arguments.listen_host, "Host of every listener whose endpoint is not written out")
      ->type_name("HOST")
      ->envname("SPANLOOM_LISTEN")
      ->capture_default_str();
  command.add_flag("!--no-store-append", arguments.append_store,
                   "Do not append spanloom_store to the pipelines of --config");
  command.add_option("--log-format", arguments.log_format, "text or json")
      ->check(Checked(ParseLogFormat, "{text,json}"));
  command.add_option("--log-level", arguments.log_level, "debug, info, warn or error")
      ->check(Checked(ParseLogLevel, "{debug,info,warn,error}"));
  DeclareDrainTimeout(command, arguments.drain_timeout);
  // Options may stand before and behind these words.
  command.add_subcommand("print-config", "Print the configuration that would run, secrets redacted, and end")
      ->fallthrough()
      ->callback([&arguments] { arguments.verb = ServeVerb::kPrintConfig; });
  command
      .add_subcommand("validate", "Say what is wrong with the configuration, a line each with file and line, and end")
      ->fallthrough()
      ->callback([&arguments] { arguments.verb = ServeVerb::kValidate; });
}

}  // namespace spanloom::app
