// SPDX-License-Identifier: Apache-2.0
//
// Replacing what matches a pattern, as Go's regexp does.

#pragma once

#include <absl/functional/function_ref.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "ottl/pattern.h"

namespace spanloom::ottl {

// One match: its whole text, and its groups. A group that took no part is a null view.
struct PatternMatch {
  std::span<const std::string_view> groups;  // the first one is the whole match
  const Pattern& pattern;
};

// regexp.Expand: `$1`, `${1}`, `$name` and `${name}` become the text of that group, or nothing; `$$` is a dollar sign.
[[nodiscard]] std::string Expand(std::string_view replacement, const PatternMatch& match);

// The text of a match and of its groups, up to as many as were asked for.
using GroupTexts = std::span<const std::string_view>;

// `text` in which every match of `expression` is replaced by what `replace` makes of it and its first `group_count - 1`
// groups (of which each costs time); nullopt if there is none, or if `replace` returns nullopt.
[[nodiscard]] std::optional<std::string> ReplaceMatches(
    const re2::RE2& expression, size_t group_count, std::string_view text,
    absl::FunctionRef<std::optional<std::string>(GroupTexts groups)> replace);

// The same with all groups.
[[nodiscard]] std::optional<std::string> ReplaceMatches(
    const Pattern& pattern, std::string_view text,
    absl::FunctionRef<std::optional<std::string>(const PatternMatch&)> replace);

}  // namespace spanloom::ottl
