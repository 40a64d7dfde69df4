// SPDX-License-Identifier: Apache-2.0
//
// Converters that read a text that is JSON, a number or a severity.

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

Value ParseJson(Evaluation& e, const Arguments& a) {
  const auto value = ParseJsonValue(a[0].text(), e.arena());
  if (!value.ok()) return e.Fail(StrCat("ParseJSON: ", value.status().message()));
  if (value->is(Kind::kMap) || value->is(Kind::kList)) return *value;
  return e.Fail(StrCat("could not convert parsed value of type ", value->type_name(), " to JSON object"));
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
    {"ParseInt", {kTarget, Parameter{"base", Type::kInt}}, ParseInt},
    {"ParseSeverity", {Parameter{"target"}, Parameter{"severityMapping", Type::kMap}}, ParseSeverity},
};

}  // namespace

std::span<const Function> ParseConverters() {
  return kFunctions;
}

}  // namespace spanloom::ottl
