// SPDX-License-Identifier: Apache-2.0
//
// What a command and its flags are, in words: read from the declarations that parse the command line, so that help,
// manual pages and completions say the same.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class App;
}  // namespace CLI

namespace spanloom::cli::reference {

enum class ValueKind : uint8_t { kNone, kText, kFile, kDirectory };

// A flag, or a word without one.
struct FlagDoc {
  std::vector<std::string> names = {};  // "-h", "--help"; empty: a word without a flag
  std::string value = {};               // "FILE": what its value is called; "" if it has none
  ValueKind kind = ValueKind::kNone;
  std::vector<std::string> choices = {};  // if the value is one of these
  std::string words = {};
  std::string default_text = {};  // "": none that could be shown
  std::string variable = {};      // the environment's, which is read where the flag is not given; "": none
  bool is_required = false;
  bool is_list = false;  // may be given several times
};

struct CommandDoc {
  std::string name = {};  // "validate"
  std::vector<std::string> aliases = {};
  std::string words = {};
  std::string footer = {};  // a paragraph; "": none
  std::vector<FlagDoc> flags = {};
  std::vector<FlagDoc> operands = {};  // words without a flag
  std::vector<CommandDoc> commands = {};
  bool takes_outer_flags = false;  // those of the command it belongs to too
};

// What `app` declares, with all commands below it. Flags that help hides are left out.
[[nodiscard]] CommandDoc ReadCommand(const CLI::App& app);

}  // namespace spanloom::cli::reference
