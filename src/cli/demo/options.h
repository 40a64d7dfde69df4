// SPDX-License-Identifier: Apache-2.0
//
// The command line of `spanloom demo`.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>

#include "base/status.h"
#include "cli/reference/command_doc.h"

namespace spanloom::cli::demo {

struct DemoOptions {
  double rate = 2;                        // requests a second, on average
  int prefill_count = 1;                  // simulators that only prefill
  int decode_count = 1;                   // simulators that only decode, each behind a routing proxy of its own
  std::string data_dir = {};              // of `serve`; "": in memory
  std::string listen_host = "127.0.0.1";  // of the page and of what else `serve` opens
  bool free_ports = false;                // of `serve` too, in place of the standard ones
  std::chrono::milliseconds duration{0};  // after which it ends by itself; 0: never
  uint64_t seed = 1;                      // of prompts, lengths and arrivals
};

// What the user wants to read instead of a run: the help text.
struct HelpText {
  std::string text;
};

// The command line, in words.
[[nodiscard]] reference::CommandDoc Describe();

// Parses the arguments after the command's name, argv[0]. kInvalidArgument names the option and what it takes.
StatusOr<std::variant<DemoOptions, HelpText>> ParseOptions(int argc, const char* const* argv);

}  // namespace spanloom::cli::demo
