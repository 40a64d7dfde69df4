// SPDX-License-Identifier: Apache-2.0

#include "doctor/vllm_arguments.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_split.h>

#include <algorithm>

#include "base/text.h"
#include "doctor/document.h"
#include "doctor/switches.h"
#include "doctor/tracing_settings.h"

namespace spanloom::doctor {
namespace {

using config::Node;

// A comment in the middle of a command that goes on over lines: a shell ends the command there.
struct Script {
  std::vector<Word> words;
  std::optional<config::Source> cut;  // the comment
};

// `node` is a text of one line or more. Quotes are kept as they are: no argument of ours has any.
Script ReadScript(const Node& node) {
  Script script;
  const bool is_block = node.text().find('\n') != std::string::npos;  // which begins below its "|"
  int line = node.source().line + (is_block ? 1 : 0);
  bool goes_on = false;
  for (const absl::string_view text : absl::StrSplit(AbslView(node.text()), '\n')) {
    const config::Source where{node.source().file, line++};
    const absl::string_view stripped = absl::StripAsciiWhitespace(text);
    if (stripped.empty()) continue;
    if (stripped.front() == '#') {
      if (goes_on && !script.cut.has_value()) script.cut = where;
      goes_on = false;
      continue;
    }
    goes_on = stripped.back() == '\\';
    for (const absl::string_view word : absl::StrSplit(stripped, absl::ByAnyChar(" \t"), absl::SkipEmpty())) {
      if (word != "\\") script.words.push_back({std::string(word), where});
    }
  }
  return script;
}

template <typename Take>
void EachText(const Node& container, Take take) {
  for (const std::string_view key : {"command", "args"}) {
    for (const Node& item : NodesAt(container, key)) {
      if (item.is_scalar()) take(item);
    }
  }
}

}  // namespace

std::vector<Word> WordsOf(const Node& container) {
  std::vector<Word> words;
  EachText(container, [&](const Node& text) {
    for (Word& word : ReadScript(text).words) words.push_back(std::move(word));
  });
  return words;
}

std::optional<Word> ArgumentOf(const std::vector<Word>& words, std::string_view flag) {
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i].text;
    if (word == flag) return i + 1 < words.size() ? words[i + 1] : Word{"", words[i].where};
    const bool has_value = word.starts_with(flag) && word.size() > flag.size() && word[flag.size()] == '=';
    if (has_value) return Word{std::string(word.substr(flag.size() + 1)), words[i].where};
  }
  return std::nullopt;
}

bool HasArgument(const Node& container, std::string_view flag) {
  return ArgumentOf(WordsOf(container), flag).has_value();
}

void CheckArguments(const Node& container, Findings& findings) {
  const std::vector<Word> words = WordsOf(container);
  if (const auto level = ArgumentOf(words, kDetailedTracesFlag)) {
    CheckDetailedTraces(Node::Scalar(level->text, Node::Style::kQuoted, level->where), kDetailedTracesFlag, findings);
  }
  if (const auto silent = ArgumentOf(words, "--disable-log-stats")) {
    findings.Error(
        "disable-log-stats", silent->where,
        "--disable-log-stats with tracing ends vLLM's engine at the first request (AssertionError); leave it out");
  }
  EachText(container, [&](const Node& text) {
    const Script script = ReadScript(text);
    if (!script.cut.has_value()) return;
    findings.Error(
        "script-comment", *script.cut,
        "a comment in the middle of a command: the shell ends the command there, and what follows is another; "
        "move it above the command");
  });
}

bool IsVllm(const Node& container) {
  const std::string_view name = ReadImage(TextAt(container, {"image"})).name;
  if (name.find("vllm") != std::string_view::npos || name == "llm-d-cuda" || name == "llm-d") return true;
  const std::vector<Word> words = WordsOf(container);
  return std::any_of(words.begin(), words.end(), [](const Word& word) {
    return word.text == "vllm" || word.text.starts_with("vllm.") || word.text.ends_with("/vllm");
  });
}

}  // namespace spanloom::doctor
