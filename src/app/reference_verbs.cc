// SPDX-License-Identifier: Apache-2.0

#include "app/reference_verbs.h"

#include <absl/algorithm/container.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>

#include "app/commands.h"
#include "app/config_reference.h"
#include "app/version.h"
#include "base/text.h"
#include "cli/reference/completion.h"
#include "cli/reference/man_page.h"

namespace spanloom::app {
namespace {

constexpr int kError = 1;
constexpr int kUsageError = 2;

using Pages = std::map<std::string, std::string>;  // by file name

// The exit code of a command line that is to go no further; nullopt to go on.
std::optional<int> Parse(CLI::App& command, std::vector<std::string> arguments) {
  try {
    absl::c_reverse(arguments);  // as CLI11 takes them
    command.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    return command.exit(error) == 0 ? 0 : kUsageError;
  }
  return std::nullopt;
}

bool WriteFile(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (file) return true;
  std::fprintf(stderr, "cannot write %s: %s\n", path.c_str(), std::strerror(errno));
  return false;
}

// Into `directory`, or one after the other on standard output if it is "".
int Print(const Pages& pages, const std::string& directory) {
  for (const auto& [name, text] : pages) {
    if (directory.empty()) {
      std::fputs(text.c_str(), stdout);
    } else if (!WriteFile(StrCat(directory, "/", name), text)) {
      return kError;
    }
  }
  return 0;
}

void AddDirectory(CLI::App& command, std::string& directory, const std::string& words) {
  command.add_option("--out", directory, words)->type_name("DIR")->check(CLI::ExistingDirectory);
}

class ConfigReferenceLine {
 public:
  ConfigReferenceLine() { AddDirectory(app, directory, "Write a page per component into this directory instead"); }

  CLI::App app{"Print the reference of the configuration, as Markdown", "spanloom config-reference"};
  std::string directory;
};

class ManLine {
 public:
  ManLine() {
    std::vector<std::string> names;
    for (const Command& each : Commands()) names.emplace_back(each.name);
    app.add_option("COMMAND", command, "The command whose page is printed; without it that of spanloom itself")
        ->check(CLI::IsMember(names));
    AddDirectory(app, directory, "Write all pages into this directory instead");
  }

  CLI::App app{"Print the manual page of a command, for man(1)", "spanloom man"};
  std::string command;
  std::string directory;
};

class CompletionLine {
 public:
  CompletionLine() {
    app.add_option("SHELL", shell, "The shell")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  }

  CLI::App app{"Print a script by which a shell completes command lines of spanloom", "spanloom completion"};
  std::string shell;
};

}  // namespace

int RunConfigReference(const std::vector<std::string>& arguments) {
  ConfigReferenceLine line;
  if (const auto code = Parse(line.app, arguments)) return *code;
  return Print(ConfigReference(), line.directory);
}

int RunMan(const std::vector<std::string>& arguments) {
  ManLine line;
  if (const auto code = Parse(line.app, arguments)) return *code;
  const Pages pages = cli::reference::ManualPages(DescribeSpanloom(), {.version = Version(), .date = VersionDate()});
  if (!line.directory.empty()) return Print(pages, line.directory);
  const std::string name = line.command.empty() ? "spanloom.1" : StrCat("spanloom-", line.command, ".1");
  return Print({{name, pages.at(name)}}, "");
}

int RunCompletion(const std::vector<std::string>& arguments) {
  CompletionLine line;
  if (const auto code = Parse(line.app, arguments)) return *code;
  const auto write = line.shell == "bash"  ? cli::reference::BashCompletion
                     : line.shell == "zsh" ? cli::reference::ZshCompletion
                                           : cli::reference::FishCompletion;
  return Print({{line.shell, write(DescribeSpanloom())}}, "");
}

cli::reference::CommandDoc DescribeConfigReference() {
  return cli::reference::ReadCommand(ConfigReferenceLine().app);
}

cli::reference::CommandDoc DescribeMan() {
  return cli::reference::ReadCommand(ManLine().app);
}

cli::reference::CommandDoc DescribeCompletion() {
  return cli::reference::ReadCommand(CompletionLine().app);
}

}  // namespace spanloom::app
