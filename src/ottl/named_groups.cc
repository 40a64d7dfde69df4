// SPDX-License-Identifier: Apache-2.0

#include "ottl/named_groups.h"

#include <absl/strings/ascii.h>

#include <algorithm>

namespace spanloom::ottl {
namespace {

bool IsNameCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_';
}

// Where what stands at `begin` ends: an escape, with \\Q...\\E as one, a class in brackets, or one character.
size_t EndOfElement(std::string_view expression, size_t begin) {
  const auto behind = [&](std::string_view end_mark, size_t from) {
    const size_t end = expression.find(end_mark, from);
    return end == std::string_view::npos ? expression.size() : end + end_mark.size();
  };
  if (expression.substr(begin).starts_with("\\Q")) return behind("\\E", begin + 2);
  if (expression[begin] == '\\') return std::min(begin + 2, expression.size());
  if (expression[begin] != '[') return begin + 1;
  size_t end = begin + 1;
  if (expression.substr(end).starts_with('^')) ++end;
  if (expression.substr(end).starts_with(']')) ++end;  // a bracket that stands first is one of the class
  while (end < expression.size() && expression[end] != ']') {
    end = expression.substr(end).starts_with("[:") ? behind(":]", end) : EndOfElement(expression, end);
  }
  return end + 1;
}

}  // namespace

std::string WithNamesOfRe2(std::string_view expression) {
  constexpr std::string_view kGroup = "(?<";
  std::string out;
  for (size_t at = 0; at < expression.size();) {
    const std::string_view rest = expression.substr(at);
    if (rest.starts_with(kGroup) && rest.size() > kGroup.size() && IsNameCharacter(rest[kGroup.size()])) {
      out += "(?P<";
      at += kGroup.size();
      continue;
    }
    const size_t end = std::min(EndOfElement(expression, at), expression.size());
    out += expression.substr(at, end - at);
    at = end;
  }
  return out;
}

bool IsGroupName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), IsNameCharacter);
}

}  // namespace spanloom::ottl
