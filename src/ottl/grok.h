// SPDX-License-Identifier: Apache-2.0
//
// Grok: regular expressions that are put together from named ones, `%{IP:client} %{WORD:method}`.

#pragma once

#include <absl/container/flat_hash_map.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "ottl/arena.h"
#include "ottl/pattern.h"
#include "ottl/value.h"

namespace spanloom::ottl {

// The regular expression behind the name of a pattern that is known everywhere, such as NUMBER, IP or GREEDYDATA; empty
// if there is none.
[[nodiscard]] std::string_view KnownGrokPattern(std::string_view name);

// Immutable.
class GrokPattern final : public Prepared {
 public:
  // `definitions` are "NAME=PATTERN". With `names_only`, what `%{NAME}` matches without being given a name is left out;
  // else it is captured as NAME. kInvalidArgument names a pattern that is not known or nests too deeply, a definition
  // that is none, or says what is wrong with the expression.
  static StatusOr<std::unique_ptr<const GrokPattern>> Compile(std::string_view pattern, bool names_only,
                                                              std::span<const std::string> definitions);

  // What the captures match in `text`, unless it is nothing; empty if the pattern does not match. `%{NAME:name:int}` is
  // an integer, also `long`, `float`, `double`, `bool`, `boolean`; kInvalidArgument if it is no such value. The keys
  // lie in the arena.
  [[nodiscard]] StatusOr<std::vector<Entry>> Extract(std::string_view text, Arena& arena) const;

 private:
  friend class GrokCompiler;

  std::unique_ptr<const Pattern> pattern_;
  absl::flat_hash_map<std::string, std::string> types_;  // by the name of the group
};

}  // namespace spanloom::ottl
