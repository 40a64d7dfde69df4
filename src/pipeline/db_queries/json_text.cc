// SPDX-License-Identifier: Apache-2.0

#include "pipeline/db_queries/json_text.h"

#include <algorithm>

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kPunctuation = "{}[],:";

// What is neither space nor punctuation: a text in quotes, or a bare word.
size_t TokenSize(std::string_view rest) {
  const char quote = rest[0];
  if (quote != '"' && quote != '\'') return std::min(rest.find_first_of("{}[],:\"' \t\r\n", 1), rest.size());
  for (size_t at = 1; at < rest.size(); ++at) {
    if (rest[at] == '\\') {
      ++at;
    } else if (rest[at] == quote) {
      return at + 1;
    }
  }
  return rest.size();
}

}  // namespace

bool LooksLikeJson(std::string_view text) {
  const size_t begin = text.find_first_not_of(kSpace);
  return begin != std::string_view::npos && (text[begin] == '{' || text[begin] == '[');
}

std::string MaskJsonValues(std::string_view json) {
  std::string out;
  bool is_masked = false;  // what stands before is a mask, which covers what follows without punctuation or a new line
  int depth = 0;
  while (!json.empty()) {
    const size_t space = std::min(json.find_first_not_of(kSpace), json.size());
    const bool ends_line = json.substr(0, space).find('\n') != std::string_view::npos;
    json.remove_prefix(space);
    if (json.empty()) break;
    if (depth <= 0 && ends_line && !out.empty()) {
      out += '\n';
      is_masked = false;
    }
    if (kPunctuation.find(json[0]) != std::string_view::npos) {
      depth += json[0] == '{' || json[0] == '[' ? 1 : json[0] == '}' || json[0] == ']' ? -1 : 0;
      out += json[0];
      is_masked = false;
      json.remove_prefix(1);
      continue;
    }
    const size_t size = TokenSize(json);
    const size_t next = json.find_first_not_of(kSpace, size);
    const bool is_key = depth > 0 && next != std::string_view::npos && json[next] == ':';
    if (is_key) {
      out += json.substr(0, size);
    } else if (!is_masked) {
      out += "\"?\"";
    }
    is_masked = !is_key;
    json.remove_prefix(size);
  }
  return out;
}

}  // namespace spanloom::pipeline
