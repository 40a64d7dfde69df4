// SPDX-License-Identifier: Apache-2.0
//
// Flags that llm-d-inference-sim and vLLM have and that change nothing here: those that can be left unheeded are taken,
// so that their command lines work, and said to have no effect; those whose effect would be missed are refused.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/status.h"

namespace CLI {
class App;
}  // namespace CLI

namespace spanloom::app {

// What was given of them, by name. Not to be moved once declared.
struct ForeignFlags {
  std::map<std::string, std::string> values = {};
  std::map<std::string, bool> switches = {};
};

// Declares them on `command`; parsing fills `flags`, which must outlive it.
void DeclareForeignFlags(CLI::App& command, ForeignFlags& flags);

// Those that were given and have no effect.
[[nodiscard]] std::vector<std::string> WithoutEffect(const ForeignFlags& flags);

// kInvalidArgument names the first that was given whose effect would be missed, and why there is none.
Status RefuseMissing(const ForeignFlags& flags);

}  // namespace spanloom::app
