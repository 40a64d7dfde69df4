// SPDX-License-Identifier: Apache-2.0

#include <absl/strings/str_replace.h>

#include <string_view>
#include <vector>

#include "base/text.h"
#include "cli/reference/command_table.h"
#include "cli/reference/completion.h"

namespace spanloom::cli::reference {
namespace {

constexpr std::string_view kWalk = R"(
_spanloom() {
  local value operand at=spanloom current=$words[CURRENT] flag=$words[CURRENT-1] word
  local -a verbs options
  local -i i
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    if [[ $word == -* ]]; then
      _spanloom_value "$at $word" && ((i++))
    else
      _spanloom_command "$at"
      (( ${verbs[(I)$word:*]} )) && at+=" $word"
    fi
  done
  if [[ $current == --*=* ]]; then
    flag=${current%%=*}
    compset -P '*='
  fi
  _spanloom_command "$at"
  if [[ $flag == -* ]] && _spanloom_value "$at $flag"; then
    :
  elif [[ $current == -* ]]; then
    _describe -o flag options
    return
  elif (( $#verbs )); then
    _describe command verbs
    return
  else
    value=$operand
  fi
  case $value in
    (words*) compadd -- ${=value#words } ;;
    (file) _files ;;
    (directory) _files -/ ;;
  esac
}

if [[ $funcstack[1] == _spanloom ]]; then _spanloom "$@"; else compdef _spanloom spanloom; fi
)";

// "NAME:WORDS" as _describe takes it.
std::string Described(std::string_view name, std::string_view words) {
  return ShellQuoted(StrCat(name, ":", absl::StrReplaceAll(AbslView(words), {{":", "\\:"}})));
}

std::string CommandCase(const CommandRow& row) {
  std::string text = StrCat("    (", ShellQuoted(row.path),
                            ")\n      operand=", ShellQuoted(row.operand == nullptr ? "" : ValueWord(*row.operand)),
                            "\n      verbs=(");
  for (const NamedWords& command : row.commands) StrAppend(text, "\n        ", Described(command.name, command.words));
  StrAppend(text, ")\n      options=(");
  for (const FlagDoc* flag : row.flags) {
    for (const std::string& name : flag->names) StrAppend(text, "\n        ", Described(name, flag->words));
  }
  return StrCat(text, ") ;;\n");
}

}  // namespace

std::string ZshCompletion(const CommandDoc& root) {
  return StrCat("#compdef spanloom\n# Completion of spanloom in zsh. Written by `spanloom completion zsh`.\n\n",
                CommandFunctions(CommandRows(root), CommandCase), kWalk);
}

}  // namespace spanloom::cli::reference
