// SPDX-License-Identifier: Apache-2.0
//
// An option whose value is a duration.

#pragma once

#include <chrono>
#include <string>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace spanloom::app {

// Declares it on `command`, with the description `words` and the default as its help shows it. Parsing fills `value`,
// which must outlive the command; a duration as Go writes it, not below 0, is rounded up to milliseconds.
CLI::Option* AddDuration(CLI::App& command, const std::string& name, std::chrono::milliseconds& value,
                         const std::string& words, const std::string& shown);

}  // namespace spanloom::app
