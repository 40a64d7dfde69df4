// SPDX-License-Identifier: Apache-2.0
//
// Converters of strings: what they begin and end with, their parts, and what they become joined or cut.

#include "base/text.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ottl/function_table.h"
#include "ottl/go_format.h"
#include "ottl/letter_case.h"
#include "ottl/pattern.h"
#include "ottl/text_format.h"
#include "ottl/utf8.h"

namespace spanloom::ottl {
namespace {

using Kind = Value::Kind;
using Type = ParameterType;

constexpr Parameter kTarget = {"target", Type::kString};
constexpr Parameter kValue = {"target", Type::kString};

Value HasPrefix(Evaluation&, const Arguments& a) {
  return Value::Bool(a[0].text().starts_with(a[1].text()));
}

Value HasSuffix(Evaluation&, const Arguments& a) {
  return Value::Bool(a[0].text().ends_with(a[1].text()));
}

Value IsMatch(Evaluation&, const Arguments& a) {
  return Value::Bool(a.has(0) && a.as<Pattern>().Matches(a[0].text()));
}
constexpr char kIsMatch[] = "IsMatch";

Value Split(Evaluation& e, const Arguments& a) {
  std::vector<Value> parts;
  std::string_view rest = a[0].text();
  const std::string_view delimiter = a[1].text();
  if (delimiter.empty()) {
    for (; !rest.empty(); rest.remove_prefix(Utf8Size(rest)))
      parts.push_back(Value::String(rest.substr(0, Utf8Size(rest))));
    return e.NewList(parts);
  }
  for (size_t at = rest.find(delimiter); at != std::string_view::npos; at = rest.find(delimiter)) {
    parts.push_back(Value::String(rest.substr(0, at)));
    rest.remove_prefix(at + delimiter.size());
  }
  parts.push_back(Value::String(rest));
  return e.NewList(parts);
}

Value Concat(Evaluation& e, const Arguments& a) {
  std::string joined;
  const auto values = ElementsOf(a[0], e.arena());
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) joined += a[1].text();
    joined += values[i].is_nil() ? "<nil>" : values[i].text();
  }
  return e.NewString(joined);
}

Value Substring(Evaluation& e, const Arguments& a) {
  const std::string_view text = a[0].text();
  const int64_t start = a[1].int_value();
  const int64_t length = a[2].int_value();
  const auto size = static_cast<int64_t>(text.size());
  if (start < 0) return e.Fail(StrCat("invalid start for substring function, ", start, " cannot be negative"));
  if (length <= 0) {
    return e.Fail(StrCat("invalid length for substring function, ", length, " cannot be negative or zero"));
  }
  if (start > size || length > size - start) {
    return e.Fail(StrCat("invalid range for substring function, ", start, "+", length,
                         " cannot be greater than the length of target string(", size, ")"));
  }
  auto begin = static_cast<size_t>(start);
  auto end = static_cast<size_t>(start + length);
  if (a.has(3) && a[3].bool_value()) {
    while (begin < end && IsUtf8Continuation(text[begin])) ++begin;
    while (end > begin && end < text.size() && IsUtf8Continuation(text[end])) --end;
  }
  return Value::String(text.substr(begin, end - begin));
}

// Takes the characters of a set, as Go's strings.Trim does.
Value Trim(Evaluation&, const Arguments& a) {
  const std::string_view cut = a.has(1) ? a[1].text() : " ";
  const auto is_cut = [cut](std::string_view character) { return cut.find(character) != std::string_view::npos; };
  return Value::String(TrimmedUtf8(a[0].text(), is_cut));
}

Value TrimPrefix(Evaluation&, const Arguments& a) {
  const std::string_view text = a[0].text();
  return Value::String(text.starts_with(a[1].text()) ? text.substr(a[1].text().size()) : text);
}

Value TrimSuffix(Evaluation&, const Arguments& a) {
  const std::string_view text = a[0].text();
  return Value::String(text.ends_with(a[1].text()) ? text.substr(0, text.size() - a[1].text().size()) : text);
}

template <std::string (*kConvert)(std::string_view)>
Value Convert(Evaluation& e, const Arguments& a) {
  return e.NewString(kConvert(a[0].text()));
}

class Conversion final : public Prepared {
 public:
  using Convert = std::string (*)(std::string_view);
  explicit Conversion(Convert convert) : convert_(convert) {}
  [[nodiscard]] std::string operator()(std::string_view text) const { return convert_(text); }

 private:
  Convert convert_;
};

PreparedOr PrepareConvertCase(const Arguments& a) {
  constexpr std::pair<std::string_view, Conversion::Convert> kCases[] = {
      {"lower", ToLower}, {"upper", ToUpper}, {"snake", ToSnakeCase}, {"camel", ToCamelCase}};
  for (const auto& [name, convert] : kCases) {
    if (a[1].text() == name) return std::make_unique<Conversion>(convert);
  }
  return absl::InvalidArgumentError(
      StrCat("invalid case: ", a[1].text(), ", allowed cases are: lower, upper, snake, camel"));
}

Value ConvertCase(Evaluation& e, const Arguments& a) {
  return e.NewString(a.as<Conversion>()(a[0].text()));
}

Value Format(Evaluation& e, const Arguments& a) {
  return e.NewString(SprintfGo(a[0].text(), ElementsOf(a[1], e.arena())));
}

constexpr Function kFunctions[] = {
    {"HasPrefix", {kValue, Parameter{"prefix", Type::kString}}, HasPrefix},
    {"HasSuffix", {kValue, Parameter{"suffix", Type::kString}}, HasSuffix},
    {"IsMatch",
     {Parameter{"target", Type::kStringLike}, Parameter{"pattern", Type::kString}},
     IsMatch,
     PreparePattern<kIsMatch, 1>,
     1 << 1},
    {"Split", {kTarget, Parameter{"delimiter", Type::kString}}, Split},
    {"Concat", {Parameter{"vals", Type::kStringLikes}, Parameter{"delimiter", Type::kString}}, Concat},
    {"Substring",
     {kTarget, Parameter{"start", Type::kInt}, Parameter{"length", Type::kInt},
      Parameter{"utf8_safe", Type::kBoolLiteral, true}},
     Substring},
    {"Trim", {kTarget, Parameter{"replacement", Type::kStringLiteral, true}}, Trim},
    {"TrimPrefix", {kValue, Parameter{"prefix", Type::kString}}, TrimPrefix},
    {"TrimSuffix", {kValue, Parameter{"suffix", Type::kString}}, TrimSuffix},
    {"ToLowerCase", {kTarget}, Convert<ToLower>},
    {"ToUpperCase", {kTarget}, Convert<ToUpper>},
    {"ToSnakeCase", {kTarget}, Convert<ToSnakeCase>},
    {"ToCamelCase", {kTarget}, Convert<ToCamelCase>},
    {"ConvertCase", {kTarget, Parameter{"toCase", Type::kStringLiteral}}, ConvertCase, PrepareConvertCase, 1 << 1},
    {"Format", {Parameter{"format", Type::kStringLiteral}, Parameter{"vals", Type::kAnys}}, Format},
};

}  // namespace

std::span<const Function> TextConverters() {
  return kFunctions;
}

}  // namespace spanloom::ottl
