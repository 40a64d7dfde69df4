// SPDX-License-Identifier: Apache-2.0
//
// Grok: regular expressions that are put together from named ones, `%{IP:client} %{WORD:method}`.

#pragma once

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
  // else it is captured as NAME. kInvalidArgument names a pattern that is not known or nests too deeply, or says what
  // is wrong with the expression.
  static StatusOr<std::unique_ptr<const GrokPattern>> Compile(std::string_view pattern, bool names_only,
                                                              std::span<const std::string> definitions);

  // What the captures match in `text`; empty if the pattern does not match. `%{NAME:name:int}` is an integer, also
  // `long`, `float`, `double`, `bool`, `boolean`; what is no such value stays a string.
  [[nodiscard]] std::vector<Entry> Extract(std::string_view text, Arena& arena) const;

 private:
  friend class GrokCompiler;

  struct Capture {
    int group = 0;
    std::string name;
    std::string type;
  };

  std::unique_ptr<const Pattern> pattern_;
  std::vector<Capture> captures_;
};

}  // namespace spanloom::ottl
