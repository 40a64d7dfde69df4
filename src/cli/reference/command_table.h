// SPDX-License-Identifier: Apache-2.0
//
// A tree of commands as rows, one for each way to name a command: what completions of all shells are written from.

#pragma once

#include <absl/functional/function_ref.h>

#include <string>
#include <string_view>
#include <vector>

#include "cli/reference/command_doc.h"

namespace spanloom::cli::reference {

struct NamedWords {
  std::string name;
  std::string words;
};

struct CommandRow {
  std::string path;                   // "spanloom serve validate"
  std::vector<NamedWords> commands;   // that may follow, aliases too
  std::vector<const FlagDoc*> flags;  // that may follow, those of outer commands too where they are taken
  const FlagDoc* operand;             // the first; null: none
};

// The rows of `root` and all below it, outer commands first. They point into `root`.
[[nodiscard]] std::vector<CommandRow> CommandRows(const CommandDoc& root);

// `text` between the single quotes of a POSIX shell, quotes included.
[[nodiscard]] std::string ShellQuoted(std::string_view text);

// What completes a value, as the scripts name it: "file", "directory", "text", or "words" and the choices.
[[nodiscard]] std::string ValueWord(const FlagDoc& flag);

// The cases of a function of bash and zsh that sets `value` for "COMMAND FLAG" to what ValueWord says of it.
[[nodiscard]] std::string ValueCases(const std::vector<CommandRow>& rows);

// In bash and zsh: the functions _spanloom_command, with what `command_case` makes of each row, and _spanloom_value.
[[nodiscard]] std::string CommandFunctions(const std::vector<CommandRow>& rows,
                                           absl::FunctionRef<std::string(const CommandRow&)> command_case);

}  // namespace spanloom::cli::reference
