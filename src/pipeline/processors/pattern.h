// SPDX-License-Identifier: Apache-2.0
//
// A regular expression of a processor's options: RE2, whose syntax is that of Go's regexp package and so of the
// Collector's files. It takes time linear to the text, so that no value can hold up a loop.

#pragma once

#include <absl/functional/function_ref.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace re2 {
class RE2;
}

namespace spanloom::pipeline {

// Immutable; thread-safe.
class Pattern {
 public:
  // kInvalidArgument says what is wrong with the expression.
  static StatusOr<Pattern> Compile(const std::string& expression);

  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  // True if it matches anywhere in `text`.
  [[nodiscard]] bool Matches(std::string_view text) const;

  // [groups + 1]: the names of the groups, "" for those without one; the first stands for the whole match.
  [[nodiscard]] const std::vector<std::string>& group_names() const { return group_names_; }
  // Finds the first match. `groups` becomes [groups + 1] views into `text`, the whole match first; those of groups that
  // took no part are null. False, and `groups` has no meaning, if there is no match.
  bool Find(std::string_view text, std::vector<std::string_view>& groups) const;

  // `text` with each match, from left to right, replaced by what `replace` makes of it. An empty match right behind
  // another match is none (Go's ReplaceAllStringFunc).
  [[nodiscard]] std::string ReplaceAll(std::string_view text,
                                       absl::FunctionRef<std::string(std::string_view match)> replace) const;

 private:
  explicit Pattern(std::unique_ptr<const re2::RE2> expression);

  std::unique_ptr<const re2::RE2> expression_;
  std::vector<std::string> group_names_;
};

// What is wrong with `expression`, if something is: for OptionsReader::Field.
[[nodiscard]] Status CheckPattern(const std::string& expression);
// The same, for Validate: the message begins with the key that holds it.
[[nodiscard]] Status CheckPatternOf(std::string_view key, const std::string& expression);

// Several patterns that are asked together, in one pass over a text. Immutable; thread-safe.
class PatternList {
 public:
  // `expressions` have passed CheckPattern.
  explicit PatternList(const std::vector<std::string>& expressions);
  PatternList(PatternList&&) noexcept;
  PatternList& operator=(PatternList&&) noexcept;
  ~PatternList();

  // In their order.
  [[nodiscard]] const std::vector<Pattern>& patterns() const { return patterns_; }

  // True if one of them matches anywhere in `text`.
  [[nodiscard]] bool AnyMatches(std::string_view text) const;

 private:
  struct Together;

  std::vector<Pattern> patterns_;
  std::unique_ptr<const Together> together_;  // null if they are fewer than two, or too large to be asked together
};

}  // namespace spanloom::pipeline
