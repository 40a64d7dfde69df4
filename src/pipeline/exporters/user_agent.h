// SPDX-License-Identifier: Apache-2.0
//
// How exporters call this program to their destinations.

#pragma once

#include <string>
#include <string_view>

#include "base/text.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

// "spanloom/0.1.0 (linux/amd64)", in the Collector's form, by the first line of BuildContext::build; "spanloom" alone
// if that says nothing.
inline std::string UserAgentOf(const BuildContext& context) {
#ifdef __aarch64__
  constexpr std::string_view kArchitecture = "arm64";
#else
  constexpr std::string_view kArchitecture = "amd64";
#endif
  const std::string_view line = std::string_view(context.build).substr(0, context.build.find('\n'));
  const size_t space = line.find(' ');
  if (space == std::string_view::npos) return "spanloom";
  return StrCat("spanloom/", line.substr(space + 1), " (linux/", kArchitecture, ")");
}

}  // namespace spanloom::pipeline
