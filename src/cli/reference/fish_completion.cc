// SPDX-License-Identifier: Apache-2.0

#include <absl/strings/str_join.h>
#include <absl/strings/str_replace.h>

#include <string_view>
#include <vector>

#include "base/text.h"
#include "cli/reference/command_table.h"
#include "cli/reference/completion.h"

namespace spanloom::cli::reference {
namespace {

constexpr std::string_view kWalk = R"(
# Whether the words before the cursor mean the command $argv.
function __spanloom_at
    set -l words (commandline -opc)
    set -e words[1]
    set -l at spanloom
    set -l skips false
    for word in $words
        if $skips
            set skips false
        else if string match -q -- '-*' $word
            contains -- "$at $word" $__spanloom_valued; and set skips true
        else if contains -- "$at $word" $__spanloom_commands
            set at "$at $word"
        end
    end
    test "$at" = "$argv"
end

complete -c spanloom -f
)";

std::string Quoted(std::string_view text) {
  return StrCat("'", absl::StrReplaceAll(AbslView(text), {{"\\", "\\\\"}, {"'", "\\'"}}), "'");
}

// What `complete` is told of a value.
std::string ValueArguments(const FlagDoc& flag) {
  if (!flag.choices.empty()) return StrCat(" -x -a ", Quoted(absl::StrJoin(flag.choices, " ")));
  switch (flag.kind) {
    case ValueKind::kNone:
      return "";
    case ValueKind::kText:
      return " -x";
    case ValueKind::kFile:
      return " -r -F";
    case ValueKind::kDirectory:
      return " -x -a '(__fish_complete_directories)'";
  }
  return "";
}

std::string FlagArguments(const FlagDoc& flag) {
  std::string text;
  for (const std::string& name : flag.names) {
    StrAppend(text, name.starts_with("--") ? " -l " : " -s ", name.substr(name.starts_with("--") ? 2 : 1));
  }
  return text;
}

std::string CommandLines(const CommandRow& row) {
  const std::string begin = StrCat("complete -c spanloom -n ", Quoted(StrCat("__spanloom_at ", row.path)));
  std::string text;
  for (const NamedWords& command : row.commands) {
    StrAppend(text, begin, " -a ", command.name, " -d ", Quoted(command.words), "\n");
  }
  for (const FlagDoc* flag : row.flags) {
    StrAppend(text, begin, FlagArguments(*flag), ValueArguments(*flag), " -d ", Quoted(flag->words), "\n");
  }
  if (row.operand == nullptr) return text;
  if (!row.operand->choices.empty()) {
    StrAppend(text, begin, " -a ", Quoted(absl::StrJoin(row.operand->choices, " ")), "\n");
  } else if (row.operand->kind != ValueKind::kText) {
    StrAppend(text, begin, " -F\n");
  }
  return text;
}

// "set -g NAME WORD...", a word a line.
std::string List(std::string_view name, const std::vector<std::string>& words) {
  return StrCat("set -g ", name, " \\\n    ", absl::StrJoin(words, " \\\n    "), "\n");
}

}  // namespace

std::string FishCompletion(const CommandDoc& root) {
  std::vector<std::string> commands;
  std::vector<std::string> valued;
  std::string lines;
  for (const CommandRow& row : CommandRows(root)) {
    commands.push_back(Quoted(row.path));
    for (const FlagDoc* flag : row.flags) {
      if (flag->kind == ValueKind::kNone) continue;
      for (const std::string& name : flag->names) valued.push_back(Quoted(StrCat(row.path, " ", name)));
    }
    StrAppend(lines, CommandLines(row));
  }
  return StrCat("# Completion of spanloom in fish. Written by `spanloom completion fish`.\n\n",
                List("__spanloom_commands", commands), List("__spanloom_valued", valued), kWalk, lines);
}

}  // namespace spanloom::cli::reference
