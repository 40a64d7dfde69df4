// SPDX-License-Identifier: Apache-2.0
//
// The command line of a vLLM container, in whatever form a manifest has it: a list of words, or a shell's script.
// Facts: vLLM's arguments and its V1 engine.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/node.h"
#include "doctor/finding.h"

namespace spanloom::doctor {

inline constexpr std::string_view kTracesEndpointFlag = "--otlp-traces-endpoint";
inline constexpr std::string_view kDetailedTracesFlag = "--collect-detailed-traces";

// A word of a command line, and where it was written.
struct Word {
  std::string text;
  config::Source where;
};

// The words of `command` and `args` of a container, scripts taken apart at blanks, comments and continued lines left
// out as a shell leaves them out.
[[nodiscard]] std::vector<Word> WordsOf(const config::Node& container);

// True if the container's command line has `flag`, as a word or as "flag=value".
[[nodiscard]] bool HasArgument(const config::Node& container, std::string_view flag);

// What follows `flag`; nullopt if it is not there.
[[nodiscard]] std::optional<Word> ArgumentOf(const std::vector<Word>& words, std::string_view flag);

// Arguments about tracing that stop vLLM, or its engine; a script that is cut by a comment.
void CheckArguments(const config::Node& container, Findings& findings);

// True if the container runs vLLM, by its image or its command.
[[nodiscard]] bool IsVllm(const config::Node& container);

}  // namespace spanloom::doctor
