// SPDX-License-Identifier: Apache-2.0

#include <absl/strings/str_join.h>

#include <string_view>
#include <vector>

#include "base/text.h"
#include "cli/reference/command_table.h"
#include "cli/reference/completion.h"

namespace spanloom::cli::reference {
namespace {

// Readline takes --flag=value apart at the "=", so that a value stands behind its flag or behind a "=".
constexpr std::string_view kWalk = R"(
_spanloom() {
  local verbs options operand value= at=spanloom current=${COMP_WORDS[COMP_CWORD]} flag=${COMP_WORDS[COMP_CWORD-1]} word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in
      =) ((i++)) ;;
      -*) _spanloom_value "$at $word" && [[ ${COMP_WORDS[i+1]} != = ]] && ((i++)) ;;
      *) _spanloom_command "$at"; [[ " $verbs " == *" $word "* ]] && at+=" $word" ;;
    esac
  done
  if [[ $current == = ]]; then
    current=
  elif [[ $flag == = ]]; then
    flag=${COMP_WORDS[COMP_CWORD-2]}
  fi
  COMPREPLY=()
  _spanloom_command "$at"
  if [[ $flag == -* ]] && _spanloom_value "$at $flag"; then
    :
  elif [[ $current == -* ]]; then
    value="words $options"
  elif [[ -n $verbs ]]; then
    value="words $verbs"
  else
    value=$operand
  fi
  case $value in
    words*) mapfile -t COMPREPLY < <(compgen -W "${value#words }" -- "$current") ;;
    file) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    directory) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
  esac
}

complete -F _spanloom spanloom
)";

std::string CommandCase(const CommandRow& row) {
  std::vector<std::string> verbs;
  std::vector<std::string> flags;
  for (const NamedWords& command : row.commands) verbs.push_back(command.name);
  for (const FlagDoc* flag : row.flags) flags.insert(flags.end(), flag->names.begin(), flag->names.end());
  return StrCat("    ", ShellQuoted(row.path), ")\n      verbs=", ShellQuoted(absl::StrJoin(verbs, " ")),
                " operand=", ShellQuoted(row.operand == nullptr ? "" : ValueWord(*row.operand)),
                "\n      options=", ShellQuoted(absl::StrJoin(flags, " ")), " ;;\n");
}

}  // namespace

std::string BashCompletion(const CommandDoc& root) {
  return StrCat("# Completion of spanloom in bash. Written by `spanloom completion bash`.\n\n",
                CommandFunctions(CommandRows(root), CommandCase), kWalk);
}

}  // namespace spanloom::cli::reference
