// SPDX-License-Identifier: Apache-2.0

#include "cli/store/store_command.h"

#include <absl/time/time.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/open_files.h"
#include "base/text.h"
#include "cli/console/interrupt.h"
#include "cli/store/backup_verb.h"
#include "cli/store/check_verb.h"
#include "cli/store/dump_verb.h"
#include "cli/store/export_verb.h"
#include "cli/store/import_verb.h"
#include "cli/store/stats_verb.h"
#include "cli/store/upkeep_verbs.h"
#include "store/data_dir.h"

namespace spanloom::cli::store {
namespace {

// The words of the command line that are not values of options yet.
struct Words {
  std::string directory;
  std::string format = "json";
  std::string from;
  std::string until;
  std::vector<std::string> traces;
};

Status Invalid(std::string_view option, std::string_view why) {
  return absl::InvalidArgumentError(StrCat(option, ": ", why));
}

StatusOr<uint64_t> ParseTime(std::string_view option, const std::string& text) {
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &error) || time < absl::UnixEpoch()) {
    return Invalid(option, StrCat("\"", text, "\" is not a time such as 2026-01-31T12:00:00Z"));
  }
  return static_cast<uint64_t>(absl::ToUnixNanos(time));
}

StatusOr<std::vector<otlp::TraceId>> ParseTraces(const std::vector<std::string>& words) {
  std::vector<otlp::TraceId> traces;
  for (const std::string& word : words) {
    const auto id = otlp::ParseTraceId(word);
    if (!id) return Invalid("--trace", StrCat("\"", word, "\" is not a trace id of up to 32 hexadecimal digits"));
    traces.push_back(*id);
  }
  return traces;
}

// One invocation: what was said, and the verb that it means.
class Command {
 public:
  using Verb = std::function<StatusOr<bool>(const Terminal& terminal)>;

  Command() : app_("Looks into a store, copies it, puts it in order", "spanloom store") {
    app_.require_subcommand(1);
    Add("check", "Read everything and verify every checksum",
        [this](const Terminal& terminal) { return RunCheck(words_.directory, terminal); });
    AddStats();
    AddDump();
    AddExport();
    AddImport();
    Add("compact", "Merge small segments now; a running server is asked to",
        [this](const Terminal& terminal) { return Done(RunCompact(words_.directory, terminal)); });
    Add("flush", "Write what is in the log to a segment; a running server is asked to",
        [this](const Terminal& terminal) { return Done(RunFlush(words_.directory, terminal)); });
    AddPurge();
    AddBackup();
  }

  [[nodiscard]] reference::CommandDoc Describe() const { return reference::ReadCommand(app_); }

  // The exit status of a command line that is to go no further; nullopt to go on.
  std::optional<int> Parse(int argc, const char* const* argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return app_.exit(error) == 0 ? kExitFine : kExitUsage;
    }
    return std::nullopt;
  }

  // What does not depend on the store. Errors: kInvalidArgument names the option.
  Status Complete() {
    if (words_.directory.empty()) {
      ASSIGN_OR_RETURN(words_.directory, spanloom::store::DefaultDataDir());
    }
    stats_.directory = dump_.directory = export_.directory = import_.directory = words_.directory;
    ASSIGN_OR_RETURN(export_.format, ParseOtlpFormat(words_.format));
    ASSIGN_OR_RETURN(export_.traces, ParseTraces(words_.traces));
    if (!export_.traces.empty()) dump_.trace = export_.traces.front();
    if (!words_.from.empty()) {
      ASSIGN_OR_RETURN(export_.starts.begin_unix_ns, ParseTime("--from", words_.from));
    }
    if (!words_.until.empty()) {
      ASSIGN_OR_RETURN(export_.starts.end_unix_ns, ParseTime("--until", words_.until));
    }
    purge_.traces = export_.traces;
    purge_.starts = export_.starts;
    return export_.starts.IsEmpty() ? Invalid("--until", "is not behind --from") : absl::OkStatus();
  }

  StatusOr<bool> Run(const Terminal& terminal) {
    for (const auto& [verb, run] : verbs_) {
      if (verb->parsed()) return run(terminal);
    }
    return absl::InternalError("no verb");  // Parse requires one
  }

 private:
  static StatusOr<bool> Done(const Status& status) {
    RETURN_IF_ERROR(status);
    return true;
  }

  CLI::App* Add(const std::string& name, const std::string& what, Verb verb) {
    CLI::App* const subcommand = app_.add_subcommand(name, what);
    subcommand->add_option("--data-dir", words_.directory, "The store's directory [that of `serve`]")->type_name("DIR");
    verbs_.emplace_back(subcommand, std::move(verb));
    return subcommand;
  }

  void AddStats() {
    CLI::App* const verb = Add("stats", "What the store holds, and what its bytes are spent on",
                               [this](const Terminal& terminal) { return Done(RunStats(stats_, terminal)); });
    verb->add_flag("--json", stats_.is_json, "As one JSON object");
    verb->add_option("--columns", stats_.columns_max, "Attributes to list, the most costly first; 0: all")
        ->capture_default_str();
  }

  void AddDump() {
    CLI::App* const verb = Add("dump", "What lies where in the files, a JSON object a line",
                               [this](const Terminal& terminal) { return Done(RunDump(dump_, terminal)); });
    auto* const what = verb->add_option_group("what", "One of these; else the catalogue and the files");
    what->require_option(0, 1);
    what->add_option("--segment", dump_.segment, "Columns, shapes and pages of the segment with this id");
    what->add_option("--trace", words_.traces, "The trace's spans, by file")->type_name("ID")->expected(1);
    what->add_flag("--log", dump_.is_log, "The frames of the log that are in no segment");
  }

  void AddExport() {
    CLI::App* const verb = Add("export", "Write traces to a file of OTLP requests",
                               [this](const Terminal& terminal) { return RunExport(export_, terminal); });
    verb->add_option("FILE", export_.file, "The file; -: standard output")->capture_default_str();
    verb->add_option("--format", words_.format,
                     "json: OTLP/JSON, a request a line; proto: protobuf, each behind its length (4 bytes, big-endian)")
        ->capture_default_str();
    verb->add_option("--from", words_.from, "Traces with a span that started at this time or later")->type_name("TIME");
    verb->add_option("--until", words_.until, "Traces with a span that started before")->type_name("TIME");
    verb->add_option("--trace", words_.traces, "Only this trace; may be said several times")->type_name("ID");
    verb->add_option("--service", export_.service, "Only traces with a span of this service")->type_name("NAME");
  }

  void AddPurge() {
    CLI::App* const verb =
        Add("purge", "Remove spans for good: those for which all that is said holds",
            [this](const Terminal& terminal) { return Done(RunPurge(words_.directory, purge_, terminal)); });
    verb->add_option("--trace", words_.traces, "Of this trace, or these")->type_name("ID");
    verb->add_option("--service", purge_.service, "Of this service")->type_name("NAME");
    verb->add_option("--from", words_.from, "That started at this time or later")->type_name("TIME");
    verb->add_option("--until", words_.until, "That started before")->type_name("TIME");
  }

  void AddImport() {
    CLI::App* const verb = Add("import", "Store what files of OTLP requests have, of either form of `export`",
                               [this](const Terminal& terminal) { return RunImport(import_, terminal); });
    verb->add_option("FILE", import_.files, "Files, not compressed; -: standard input")->required();
  }

  void AddBackup() {
    CLI::App* const verb =
        Add("backup", "Make a second store with all that the store has now; costs next to no room",
            [this](const Terminal& terminal) { return RunBackup(words_.directory, backup_target_, terminal); });
    verb->add_option("TARGET", backup_target_, "The directory to make")->type_name("DIR")->required();
  }

  CLI::App app_;
  Words words_;
  StatsOptions stats_;
  DumpOptions dump_;
  ExportOptions export_;
  ImportOptions import_;
  PurgeSelection purge_;
  std::string backup_target_;
  std::vector<std::pair<CLI::App*, Verb>> verbs_;
};

}  // namespace

reference::CommandDoc Describe() {
  return Command().Describe();
}

int Run(int argc, const char* const* argv) {
  Command command;
  if (const auto exit_status = command.Parse(argc, argv)) return *exit_status;
  const auto say = [](const Status& status) { std::cerr << "spanloom store: " << status.message() << "\n"; };
  if (const Status complete = command.Complete(); !complete.ok()) {
    say(complete);
    return kExitUsage;
  }
  RaiseOpenFilesLimit();  // a store may have more files than a shell's limit
  ConfigureLog(LogFormat::kText, LogLevel::kWarn);
  const console::InterruptWatch interrupt;
  const Terminal terminal = {.in = std::cin,
                             .out = std::cout,
                             .err = std::cerr,
                             .err_is_terminal = isatty(STDERR_FILENO) == 1,
                             .stop = interrupt.token(),
                             .clock = Clock::System()};
  const StatusOr<bool> is_fine = command.Run(terminal);
  std::cout << std::flush;
  if (!is_fine.ok()) say(is_fine.status());
  return is_fine.ok() && *is_fine ? kExitFine : kExitProblem;
}

}  // namespace spanloom::cli::store
