// SPDX-License-Identifier: Apache-2.0
//
// Texts of keys and values: `a=1 b="x y"`.

#include <absl/strings/str_replace.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "ottl/function_table.h"
#include "ottl/lexer.h"
#include "ottl/map_builder.h"
#include "ottl/text_format.h"

namespace spanloom::ottl {
namespace {

using Type = ParameterType;

constexpr Parameter kDelimiter = {"delimiter", Type::kStringLiteral, true};
constexpr Parameter kPairDelimiter = {"pair_delimiter", Type::kStringLiteral, true};

class Checked final : public Prepared {};

std::string_view DelimiterOf(const Arguments& a) {
  return a.is_given(1) ? a[1].text() : "=";
}

std::string_view PairDelimiterOf(const Arguments& a) {
  return a.is_given(2) ? a[2].text() : " ";
}

PreparedOr PrepareDelimiters(const Arguments& a) {
  const std::string_view delimiter = DelimiterOf(a);
  const std::string_view pair_delimiter = PairDelimiterOf(a);
  if (delimiter.empty()) return absl::InvalidArgumentError("delimiter cannot be set to an empty string");
  if (pair_delimiter.empty()) return absl::InvalidArgumentError("pair delimiter cannot be set to an empty string");
  if (delimiter != pair_delimiter) return std::make_unique<Checked>();
  return absl::InvalidArgumentError(
      StrCat("pair delimiter ", Quoted(pair_delimiter), " cannot be equal to delimiter ", Quoted(delimiter)));
}

std::string_view Trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// The parts between `delimiter`s that stand outside of quotes, less the quotes, wherever they stand, and empty parts. A
// quote behind a backslash is none; the backslash stays. nullopt if a quote is left open.
std::optional<std::vector<std::string>> SplitOutsideQuotes(std::string_view text, std::string_view delimiter) {
  std::vector<std::string> parts;
  std::string part;
  const auto end_part = [&] {
    if (!part.empty()) parts.push_back(std::exchange(part, {}));
  };
  char quote = 0;
  bool is_escaped = false;
  while (!text.empty()) {
    if (quote == 0 && text.starts_with(delimiter)) {
      end_part();
      text.remove_prefix(delimiter.size());
      continue;
    }
    const char c = text.front();
    text.remove_prefix(1);
    const bool is_quote = quote == 0 ? c == '"' || c == '\'' : c == quote;
    if (is_quote && !is_escaped) {
      quote = quote == 0 ? c : 0;
      continue;
    }
    is_escaped = !is_escaped && c == '\\';
    part.push_back(c);
  }
  if (quote != 0) return std::nullopt;
  end_part();
  return parts;
}

Value ParseKeyValue(Evaluation& e, const Arguments& a) {
  const std::string_view delimiter = DelimiterOf(a);
  if (a[0].text().empty()) return e.Fail("cannot parse from empty target");
  const auto pairs = SplitOutsideQuotes(a[0].text(), PairDelimiterOf(a));
  if (!pairs) {
    return e.Fail(StrCat("splitting source ", Quoted(a[0].text()),
                         " into pairs failed: never reached the end of a quoted value"));
  }
  MapBuilder map;
  for (const std::string& part : *pairs) {
    const std::string_view pair = e.arena().Copy(std::string_view(part));
    const size_t at = pair.find(delimiter);
    if (at == std::string_view::npos) {
      return e.Fail(
          StrCat("failed to split pairs into key-values: cannot split ", Quoted(pair), " into 2 items, got 1 item(s)"));
    }
    map.Set(Trimmed(pair.substr(0, at)), Value::String(Trimmed(pair.substr(at + delimiter.size()))));
  }
  return e.NewMap(map.entries());
}

std::string QuotedIfNeeded(std::string_view text, std::string_view delimiter, std::string_view pair_delimiter) {
  const std::string escaped = absl::StrReplaceAll(AbslView(text), {{"\"", "\\\""}});
  const bool needs_quotes =
      escaped.find(delimiter) != std::string::npos || escaped.find(pair_delimiter) != std::string::npos;
  return needs_quotes ? StrCat("\"", escaped, "\"") : escaped;
}

Value ToKeyValueString(Evaluation& e, const Arguments& a) {
  const std::string_view delimiter = DelimiterOf(a);
  const std::string_view pair_delimiter = PairDelimiterOf(a);
  const auto entries = EntriesOf(a[0], e.arena());
  std::vector<Entry> ordered(entries.begin(), entries.end());
  if (a.has(3) && a[3].bool_value()) {
    std::stable_sort(ordered.begin(), ordered.end(), [](const Entry& x, const Entry& y) { return x.key < y.key; });
  }
  std::string text;
  for (const Entry& entry : ordered) {
    if (!text.empty()) text += pair_delimiter;
    StrAppend(text, QuotedIfNeeded(entry.key, delimiter, pair_delimiter), delimiter,
              QuotedIfNeeded(AttributeText(e, entry.value), delimiter, pair_delimiter));
  }
  return e.NewString(text);
}

constexpr Function kFunctions[] = {
    {"ParseKeyValue",
     {Parameter{"target", Type::kString}, kDelimiter, kPairDelimiter},
     ParseKeyValue,
     PrepareDelimiters,
     1 << 1 | 1 << 2},
    {"ToKeyValueString",
     {Parameter{"target", Type::kMap}, kDelimiter, kPairDelimiter, Parameter{"sort_output", Type::kBoolLiteral, true}},
     ToKeyValueString,
     PrepareDelimiters,
     1 << 1 | 1 << 2},
};

}  // namespace

std::span<const Function> KeyValueConverters() {
  return kFunctions;
}

}  // namespace spanloom::ottl
