// SPDX-License-Identifier: Apache-2.0

#include "cli/reference/command_table.h"

#include <absl/strings/str_join.h>
#include <absl/strings/str_replace.h>

#include <map>

#include "base/text.h"

namespace spanloom::cli::reference {
namespace {

std::vector<std::string> NamesOf(const CommandDoc& doc) {
  std::vector<std::string> names = {doc.name};
  names.insert(names.end(), doc.aliases.begin(), doc.aliases.end());
  return names;
}

void AppendRows(const CommandDoc& doc, const std::string& path, const std::vector<const FlagDoc*>& outer_flags,
                std::vector<CommandRow>& rows) {
  CommandRow row{.path = path, .commands = {}, .flags = {}, .operand = nullptr};
  for (const CommandDoc& inner : doc.commands) {
    for (const std::string& name : NamesOf(inner)) row.commands.push_back({name, inner.words});
  }
  for (const FlagDoc& flag : doc.flags) row.flags.push_back(&flag);
  if (doc.takes_outer_flags) {
    for (const FlagDoc* flag : outer_flags) {
      if (flag->names.back() != "--help") row.flags.push_back(flag);
    }
  }
  if (!doc.operands.empty()) row.operand = &doc.operands.front();
  const std::vector<const FlagDoc*> flags = row.flags;
  rows.push_back(std::move(row));
  for (const CommandDoc& inner : doc.commands) {
    for (const std::string& name : NamesOf(inner)) AppendRows(inner, StrCat(path, " ", name), flags, rows);
  }
}

}  // namespace

std::vector<CommandRow> CommandRows(const CommandDoc& root) {
  std::vector<CommandRow> rows;
  AppendRows(root, root.name, {}, rows);
  return rows;
}

std::string ShellQuoted(std::string_view text) {
  return StrCat("'", absl::StrReplaceAll(AbslView(text), {{"'", "'\\''"}}), "'");
}

std::string ValueWord(const FlagDoc& flag) {
  if (!flag.choices.empty()) return StrCat("words ", absl::StrJoin(flag.choices, " "));
  switch (flag.kind) {
    case ValueKind::kFile:
      return "file";
    case ValueKind::kDirectory:
      return "directory";
    default:
      return "text";
  }
}

std::string ValueCases(const std::vector<CommandRow>& rows) {
  std::map<std::string, std::vector<std::string>> patterns_of;  // by what completes the value
  for (const CommandRow& row : rows) {
    for (const FlagDoc* flag : row.flags) {
      if (flag->kind == ValueKind::kNone) continue;
      for (const std::string& name : flag->names) {
        patterns_of[ValueWord(*flag)].push_back(ShellQuoted(StrCat(row.path, " ", name)));
      }
    }
  }
  std::string cases;
  for (const auto& [value, patterns] : patterns_of) {
    StrAppend(cases, "    ", absl::StrJoin(patterns, "|\\\n    "), ")\n      value=", ShellQuoted(value), " ;;\n");
  }
  return cases;
}

std::string CommandFunctions(const std::vector<CommandRow>& rows,
                             absl::FunctionRef<std::string(const CommandRow&)> command_case) {
  std::string text = "# Sets what may follow a command.\n_spanloom_command() {\n  case $1 in\n";
  for (const CommandRow& row : rows) StrAppend(text, command_case(row));
  return StrCat(text,
                "  esac\n}\n\n# Sets what the value of a flag may be; fails if it has none.\n_spanloom_value() {\n"
                "  value=\n  case $1 in\n",
                ValueCases(rows), "  esac\n  [[ -n $value ]]\n}\n");
}

}  // namespace spanloom::cli::reference
