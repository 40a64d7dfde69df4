// SPDX-License-Identifier: Apache-2.0
//
// Converters that read a text that has a structure, and one that writes such a text.

#include <absl/strings/str_replace.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"
#include "ottl/function_table.h"
#include "ottl/json_value.h"
#include "ottl/map_builder.h"
#include "ottl/text_format.h"

namespace spanloom::ottl {
namespace {

using Kind = Value::Kind;
using Type = ParameterType;

constexpr Parameter kTarget = {"target", Type::kString};
constexpr Parameter kDelimiter = {"delimiter", Type::kStringLiteral, true};
constexpr Parameter kPairDelimiter = {"pair_delimiter", Type::kStringLiteral, true};

Value ParseJson(Evaluation& e, const Arguments& a) {
  const auto value = ParseJsonValue(a[0].text(), e.arena());
  if (!value.ok()) return e.Fail(StrCat("ParseJSON: ", value.status().message()));
  if (value->is(Kind::kMap) || value->is(Kind::kList)) return *value;
  return e.Fail(StrCat("could not convert parsed value of type ", value->type_name(), " to JSON object"));
}

std::string_view Trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Quotes around a whole part go; within quotes no delimiter counts.
std::string_view Unquoted(std::string_view text) {
  const bool is_quoted = text.size() >= 2 && text.front() == text.back() && (text[0] == '"' || text[0] == '\'');
  return is_quoted ? text.substr(1, text.size() - 2) : text;
}

// The parts between `delimiter`s that stand outside of quotes. nullopt if a quote is left open.
std::optional<std::vector<std::string_view>> SplitOutsideQuotes(std::string_view text, std::string_view delimiter) {
  std::vector<std::string_view> parts;
  size_t begin = 0;
  char quote = 0;
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (quote == 0 && text.substr(i).starts_with(delimiter)) {
      parts.push_back(text.substr(begin, i - begin));
      i += delimiter.size();
      begin = i;
      continue;
    }
    if (quote != 0 && c == '\\') {
      i = std::min(i + 2, text.size());
      continue;
    }
    if (quote == c) {
      quote = 0;
    } else if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
    }
    ++i;
  }
  if (quote != 0) return std::nullopt;
  parts.push_back(text.substr(begin));
  return parts;
}

Value ParseKeyValue(Evaluation& e, const Arguments& a) {
  const std::string_view delimiter = a.has(1) ? a[1].text() : "=";
  const std::string_view pair_delimiter = a.has(2) ? a[2].text() : " ";
  if (a[0].text().empty()) return e.Fail("ParseKeyValue: cannot parse from empty target");
  if (delimiter.empty() || pair_delimiter.empty()) return e.Fail("ParseKeyValue: a delimiter cannot be empty");
  if (delimiter == pair_delimiter) {
    return e.Fail(StrCat("ParseKeyValue: pair delimiter \"", pair_delimiter, "\" cannot be equal to delimiter"));
  }
  const auto pairs = SplitOutsideQuotes(Trimmed(a[0].text()), pair_delimiter);
  if (!pairs) return e.Fail("ParseKeyValue: never reached the end of a quoted value");
  MapBuilder map;
  for (const std::string_view pair : *pairs) {
    if (Trimmed(pair).empty()) continue;
    const size_t at = pair.find(delimiter);
    if (at == std::string_view::npos) {
      return e.Fail(StrCat("ParseKeyValue: cannot split \"", pair, "\" into 2 items, got 1 item(s)"));
    }
    map.Set(Unquoted(Trimmed(pair.substr(0, at))),
            Value::String(Unquoted(Trimmed(pair.substr(at + delimiter.size())))));
  }
  return e.NewMap(map.entries());
}

std::string QuotedIfNeeded(std::string_view text, std::string_view delimiter, std::string_view pair_delimiter) {
  const bool needs_quotes =
      text.find(delimiter) != std::string_view::npos || text.find(pair_delimiter) != std::string_view::npos;
  if (!needs_quotes) return std::string(text);
  return "\"" + absl::StrReplaceAll(AbslView(text), {{"\"", "\\\""}}) + "\"";
}

Value ToKeyValueString(Evaluation& e, const Arguments& a) {
  const std::string_view delimiter = a.has(1) ? a[1].text() : "=";
  const std::string_view pair_delimiter = a.has(2) ? a[2].text() : " ";
  if (delimiter.empty() || pair_delimiter.empty()) return e.Fail("ToKeyValueString: a delimiter cannot be empty");
  if (delimiter == pair_delimiter) {
    return e.Fail(StrCat("ToKeyValueString: pair delimiter \"", pair_delimiter, "\" cannot be equal to delimiter"));
  }
  const auto entries = EntriesOf(a[0], e.arena());
  std::vector<Entry> ordered(entries.begin(), entries.end());
  if (a.has(3) && a[3].bool_value()) {
    std::stable_sort(ordered.begin(), ordered.end(), [](const Entry& x, const Entry& y) { return x.key < y.key; });
  }
  std::string text;
  for (const Entry& entry : ordered) {
    if (!text.empty()) text += pair_delimiter;
    const auto value = LikeString(e, entry.value);
    StrAppend(text, QuotedIfNeeded(entry.key, delimiter, pair_delimiter), delimiter);
    const bool is_nested = entry.value.is(Kind::kMap) || entry.value.is(Kind::kList);
    const std::string_view plain = value.value_or("");
    text += is_nested ? std::string(plain) : QuotedIfNeeded(plain, delimiter, pair_delimiter);
  }
  return e.NewString(text);
}

// Reads one row of comma-separated values, RFC 4180: a quote inside of a quoted field stands twice. With `is_lazy`, a
// quote may stand in the middle of a field.
class CsvRow {
 public:
  CsvRow(std::string_view row, char delimiter, bool is_lazy) : rest_(row), delimiter_(delimiter), is_lazy_(is_lazy) {}

  // nullopt if the row is malformed.
  std::optional<std::vector<std::string>> Read() {
    while (true) {
      if (!Field()) return std::nullopt;
      if (rest_.empty()) return std::move(fields_);
      rest_.remove_prefix(1);
    }
  }

 private:
  bool Field() {
    if (rest_.starts_with('"')) return QuotedField();
    const size_t size = std::min(rest_.find(delimiter_), rest_.size());
    const std::string_view field = rest_.substr(0, size);
    if (!is_lazy_ && field.find('"') != std::string_view::npos) return false;
    fields_.emplace_back(field);
    rest_.remove_prefix(size);
    return true;
  }

  bool QuotedField() {
    std::string field;
    for (size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] != '"') {
        field.push_back(rest_[i]);
        continue;
      }
      const bool is_end = i + 1 == rest_.size() || rest_[i + 1] == delimiter_;
      if (is_end) {
        fields_.push_back(std::move(field));
        rest_.remove_prefix(i + 1);
        return true;
      }
      const bool is_doubled = rest_[i + 1] == '"';
      if (!is_doubled && !is_lazy_) return false;
      field.push_back('"');
      i += is_doubled ? 1 : 0;
    }
    if (!is_lazy_) return false;
    fields_.push_back(std::move(field));
    rest_ = {};
    return true;
  }

  std::string_view rest_;
  char delimiter_;
  bool is_lazy_;
  std::vector<std::string> fields_;
};

std::vector<std::string> SplitAt(std::string_view text, char delimiter) {
  std::vector<std::string> parts;
  for (size_t at = text.find(delimiter); at != std::string_view::npos; at = text.find(delimiter)) {
    parts.emplace_back(text.substr(0, at));
    text.remove_prefix(at + 1);
  }
  parts.emplace_back(text);
  return parts;
}

Value ParseCsv(Evaluation& e, const Arguments& a) {
  const std::string_view delimiter = a.has(2) ? a[2].text() : ",";
  const std::string_view header_delimiter = a.has(3) ? a[3].text() : delimiter;
  const std::string_view mode = a.has(4) ? a[4].text() : "strict";
  if (delimiter.size() != 1 || header_delimiter.size() != 1) {
    return e.Fail("ParseCSV: a delimiter must be a single character");
  }
  if (mode != "strict" && mode != "lazyQuotes" && mode != "ignoreQuotes") {
    return e.Fail(StrCat("ParseCSV: unknown mode: ", mode));
  }
  std::string_view row = a[0].text();
  while (row.starts_with('\n') || row.starts_with('\r')) row.remove_prefix(1);
  while (row.ends_with('\n') || row.ends_with('\r')) row.remove_suffix(1);
  const auto headers = SplitAt(a[1].text(), header_delimiter[0]);
  const auto fields = mode == "ignoreQuotes" ? std::optional(SplitAt(row, delimiter[0]))
                                             : CsvRow(row, delimiter[0], mode == "lazyQuotes").Read();
  if (!fields) return e.Fail("ParseCSV: a quote stands where none may, or is left open");
  if (fields->size() != headers.size()) {
    return e.Fail(StrCat("ParseCSV: wrong number of fields: expected ", headers.size(), ", found ", fields->size()));
  }
  MapBuilder map;
  for (size_t i = 0; i < headers.size(); ++i) {
    map.Set(e.arena().Copy(std::string_view(headers[i])), e.NewString((*fields)[i]));
  }
  return e.NewMap(map.entries());
}

// The base that a prefix says, and the digits behind it. With base 0, Go's integer literals.
int ImpliedBase(std::string_view& digits) {
  constexpr std::pair<std::string_view, int> kPrefixes[] = {{"0x", 16}, {"0X", 16}, {"0b", 2}, {"0B", 2},
                                                            {"0o", 8},  {"0O", 8},  {"0", 8}};
  for (const auto& [prefix, base] : kPrefixes) {
    if (digits.size() <= prefix.size() || !digits.starts_with(prefix)) continue;
    digits.remove_prefix(prefix.size());
    return base;
  }
  return 10;
}

Value ParseInt(Evaluation& e, const Arguments& a) {
  const int64_t base = a[1].int_value();
  if (base < 0 || base == 1 || base > 36) return e.Fail(StrCat("ParseInt: invalid base ", base));
  std::string_view digits = a[0].text();
  const bool is_negative = digits.starts_with('-');
  if (is_negative || digits.starts_with('+')) digits.remove_prefix(1);
  std::string plain;
  const int real_base = base == 0 ? ImpliedBase(digits) : static_cast<int>(base);
  for (const char c : digits) {
    if (c != '_' || base != 0) plain.push_back(c);
  }
  uint64_t magnitude = 0;
  const auto [end, error] = std::from_chars(plain.data(), plain.data() + plain.size(), magnitude, real_base);
  const bool is_whole = error == std::errc() && end == plain.data() + plain.size();
  const uint64_t limit = static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) + (is_negative ? 1 : 0);
  if (!is_whole || magnitude > limit) {
    return e.Fail(StrCat("ParseInt: could not parse \"", a[0].text(), "\" to int64 in base ", base));
  }
  return Value::Int(static_cast<int64_t>(is_negative ? ~magnitude + 1 : magnitude));
}

// True if the number `target` lies in {"min": .., "max": ..} or "2xx".
bool IsInRange(int64_t target, const Value& range) {
  if (range.is(Kind::kString)) {
    const std::string_view text = range.text();
    return text.size() == 3 && text.ends_with("xx") && text[0] >= '2' && text[0] <= '5' &&
           target / 100 == text[0] - '0';
  }
  if (!range.is(Kind::kMap)) return false;
  const auto low = FindEntry(range, "min");
  const auto high = FindEntry(range, "max");
  if (!low || !high || !low->is(Kind::kInt) || !high->is(Kind::kInt)) return false;
  return target >= low->int_value() && target <= high->int_value();
}

// True if `target` is named by {"equals": [..]} or {"range": ..}.
bool IsNamed(Evaluation& e, const Value& target, const Value& criterion) {
  if (!criterion.is(Kind::kMap)) return false;
  if (const auto equals = FindEntry(criterion, "equals"); equals && equals->is(Kind::kList)) {
    for (const Value& value : ElementsOf(*equals, e.arena())) {
      if (Compare(value, ComparisonOperator::kEqual, target)) return true;
    }
  }
  const auto range = FindEntry(criterion, "range");
  return range && target.is(Kind::kInt) && IsInRange(target.int_value(), *range);
}

Value ParseSeverity(Evaluation& e, const Arguments& a) {
  if (!a[0].is(Kind::kString) && !a[0].is(Kind::kInt)) {
    return e.Fail(StrCat("ParseSeverity: target: expected string or int64 but got ", a[0].type_name()));
  }
  for (const Entry& level : EntriesOf(a[1], e.arena())) {
    if (!level.value.is(Kind::kList)) return e.Fail("ParseSeverity: the criteria of a level must be a list");
    for (const Value& criterion : ElementsOf(level.value, e.arena())) {
      if (IsNamed(e, a[0], criterion)) return Value::String(level.key);
    }
  }
  return e.Fail("ParseSeverity: no matching log level found");
}

constexpr Function kFunctions[] = {
    {"ParseJSON", {kTarget}, ParseJson},
    {"ParseKeyValue", {kTarget, kDelimiter, kPairDelimiter}, ParseKeyValue},
    {"ToKeyValueString",
     {Parameter{"target", Type::kMap}, kDelimiter, kPairDelimiter, Parameter{"sort_output", Type::kBoolLiteral, true}},
     ToKeyValueString},
    {"ParseCSV",
     {kTarget, Parameter{"header", Type::kString}, kDelimiter, Parameter{"headerDelimiter", Type::kStringLiteral, true},
      Parameter{"mode", Type::kStringLiteral, true}},
     ParseCsv},
    {"ParseInt", {kTarget, Parameter{"base", Type::kInt}}, ParseInt},
    {"ParseSeverity", {Parameter{"target"}, Parameter{"severityMapping", Type::kMap}}, ParseSeverity},
};

}  // namespace

std::span<const Function> ParseConverters() {
  return kFunctions;
}

}  // namespace spanloom::ottl
