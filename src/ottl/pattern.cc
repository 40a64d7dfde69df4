// SPDX-License-Identifier: Apache-2.0

#include "ottl/pattern.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "base/text.h"
#include "ottl/lexer.h"
#include "ottl/named_groups.h"

namespace spanloom::ottl {
namespace {

re2::RE2::Options PatternOptions() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  return options;
}

re2::StringPiece Piece(std::string_view text) {
  return {text.data(), text.size()};
}

// What Go's regexp/syntax calls the error.
std::string_view GoWords(const re2::RE2& pattern) {
  switch (pattern.error_code()) {
    case re2::RE2::ErrorBadEscape:
      return "invalid escape sequence";
    case re2::RE2::ErrorBadCharClass:
      return "invalid character class";
    case re2::RE2::ErrorBadCharRange:
      return "invalid character class range";
    case re2::RE2::ErrorMissingBracket:
      return "missing closing ]";
    case re2::RE2::ErrorMissingParen:
      return "missing closing )";
    case re2::RE2::ErrorTrailingBackslash:
      return "trailing backslash at end of expression";
    case re2::RE2::ErrorRepeatArgument:
      return "missing argument to repetition operator";
    case re2::RE2::ErrorRepeatSize:
      return "invalid repeat count";
    case re2::RE2::ErrorRepeatOp:
      return "invalid nested repetition operator";
    case re2::RE2::ErrorBadPerlOp:
      return "invalid or unsupported Perl syntax";
    case re2::RE2::ErrorBadUTF8:
      return "invalid UTF-8";
    case re2::RE2::ErrorBadNamedCapture:
      return "invalid named capture";
    case re2::RE2::ErrorPatternTooLarge:
      return "expression too large";
    default:
      return "internal error";
  }
}

}  // namespace

Pattern::Pattern(std::string_view pattern) : re2_(WithNamesOfRe2(pattern), PatternOptions()) {}

StatusOr<std::unique_ptr<const Pattern>> Pattern::Compile(std::string_view function, std::string_view pattern) {
  auto compiled = std::make_unique<const Pattern>(pattern);
  if (compiled->re2().ok()) {
    const auto& names = compiled->re2().NamedCapturingGroups();
    const auto bad =
        std::find_if(names.begin(), names.end(), [](const auto& group) { return !IsGroupName(group.first); });
    if (bad == names.end()) return compiled;
    return absl::InvalidArgumentError(StrCat("the regex pattern supplied to ", function, " '", Quoted(pattern),
                                             "' is not a valid pattern: error parsing regexp: invalid named capture: `",
                                             bad->first, "`"));
  }
  return absl::InvalidArgumentError(StrCat("the regex pattern supplied to ", function, " '", Quoted(pattern),
                                           "' is not a valid pattern: error parsing regexp: ", GoWords(compiled->re2()),
                                           ": `", compiled->re2().error_arg(), "`"));
}

bool Pattern::Matches(std::string_view text) const {
  return re2::RE2::PartialMatch(Piece(text), re2_);
}

}  // namespace spanloom::ottl
