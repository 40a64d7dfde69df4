// SPDX-License-Identifier: Apache-2.0

#include "ottl/replacement.h"

#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/text.h"
#include "ottl/utf8.h"

namespace spanloom::ottl {
namespace {

bool IsNameCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_';
}

// The name behind a dollar sign, which it is taken from with its braces; nullopt if there is none.
std::optional<std::string_view> TakeName(std::string_view& text) {
  const bool is_braced = text.starts_with('{');
  const std::string_view rest = text.substr(is_braced ? 1 : 0);
  size_t size = 0;
  while (size < rest.size() && IsNameCharacter(rest[size])) ++size;
  if (size == 0 || (is_braced && (size == rest.size() || rest[size] != '}'))) return std::nullopt;
  text.remove_prefix(size + (is_braced ? 2 : 0));
  return rest.substr(0, size);
}

std::string_view GroupCalled(std::string_view name, const PatternMatch& match) {
  int number = 0;
  if (!absl::SimpleAtoi(AbslView(name), &number)) {
    const auto& groups = match.pattern.re2().NamedCapturingGroups();
    const auto group = groups.find(std::string(name));
    if (group == groups.end()) return {};
    number = group->second;
  }
  if (number < 0 || static_cast<size_t>(number) >= match.groups.size()) return {};
  return match.groups[static_cast<size_t>(number)];
}

}  // namespace

std::string Expand(std::string_view replacement, const PatternMatch& match) {
  std::string expanded;
  while (!replacement.empty()) {
    const size_t dollar = std::min(replacement.find('$'), replacement.size());
    expanded += replacement.substr(0, dollar);
    replacement.remove_prefix(dollar);
    if (replacement.empty()) break;
    replacement.remove_prefix(1);
    if (replacement.starts_with('$')) {
      expanded += '$';
      replacement.remove_prefix(1);
    } else if (const auto name = TakeName(replacement)) {
      expanded += GroupCalled(*name, match);
    } else {
      expanded += '$';
    }
  }
  return expanded;
}

std::optional<std::string> ReplaceMatches(const re2::RE2& expression, size_t group_count, std::string_view text,
                                          absl::FunctionRef<std::optional<std::string>(GroupTexts groups)> replace) {
  const re2::StringPiece piece(text.data(), text.size());
  std::vector<re2::StringPiece> found(group_count);
  std::vector<std::string_view> groups(group_count);
  std::string replaced;
  size_t copied = 0;
  size_t search = 0;
  std::optional<size_t> last_end;
  bool has_match = false;
  while (search <= text.size() && expression.Match(piece, search, text.size(), re2::RE2::UNANCHORED, found.data(),
                                                   static_cast<int>(group_count))) {
    const auto begin = static_cast<size_t>(found[0].data() - text.data());
    const size_t end = begin + found[0].size();
    has_match = true;
    // An empty match right behind another one does not count.
    if (!last_end || end > *last_end) {
      for (size_t i = 0; i < group_count; ++i) groups[i] = {found[i].data(), found[i].size()};
      const auto replacement = replace(groups);
      if (!replacement) return std::nullopt;
      replaced += text.substr(copied, begin - copied);
      replaced += *replacement;
      copied = end;
    }
    last_end = end;
    search = end > search ? end : search + (search < text.size() ? Utf8Size(text.substr(search)) : 1);
  }
  if (!has_match) return std::nullopt;
  return replaced.append(text.substr(std::min(copied, text.size())));
}

std::optional<std::string> ReplaceMatches(const Pattern& pattern, std::string_view text,
                                          absl::FunctionRef<std::optional<std::string>(const PatternMatch&)> replace) {
  const auto group_count = static_cast<size_t>(pattern.re2().NumberOfCapturingGroups()) + 1;
  return ReplaceMatches(pattern.re2(), group_count, text, [&](GroupTexts groups) {
    return replace({groups, pattern});
  });
}

}  // namespace spanloom::ottl
