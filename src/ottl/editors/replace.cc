// SPDX-License-Identifier: Apache-2.0
//
// Editors that replace what matches a pattern or a glob.

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"
#include "ottl/function_table.h"
#include "ottl/glob.h"
#include "ottl/lexer.h"
#include "ottl/map_builder.h"
#include "ottl/pattern.h"
#include "ottl/replacement.h"
#include "ottl/target.h"

namespace spanloom::ottl {
namespace {

using Kind = Value::Kind;
using Type = ParameterType;

constexpr Parameter kTarget = {"target", Type::kTarget};
constexpr Parameter kPattern = {"pattern", Type::kString};
constexpr Parameter kRegex = {"regexPattern", Type::kString};
constexpr Parameter kReplacement = {"replacement", Type::kString};
constexpr Parameter kFunction = {"function", Type::kFunction, true};
constexpr Parameter kFormat = {"replacementFormat", Type::kString, true};

// What stands in place of a match: the replacement, through the function and the format if there are some. They are the
// arguments from `first` on.
class Replacer {
 public:
  Replacer(Evaluation& e, const Arguments& arguments, size_t first)
      : e_(e),
        replacement_(arguments[first].text()),
        function_(arguments.functions[first + 1]),
        format_(arguments.has(first + 2) ? std::optional(arguments[first + 2].text()) : std::nullopt) {}

  [[nodiscard]] std::string_view replacement() const { return replacement_; }

  // nullopt if it has failed. The format counts only together with a function, as in the Collector.
  std::optional<std::string> Apply(std::string_view text) {
    if (function_ == nullptr) return std::string(text);
    const Value value = CallByName(e_, *function_, e_.NewString(text));
    if (!e_.failed() && !value.is(Kind::kString)) e_.Fail("the replacement value must be a string");
    if (e_.failed()) return std::nullopt;
    return format_ ? Formatted(value.text()) : std::string(value.text());
  }

 private:
  std::optional<std::string> Formatted(std::string_view text) {
    const size_t at = format_->find("%s");
    const bool is_only = std::count(format_->begin(), format_->end(), '%') == 1;
    if (at != std::string_view::npos && is_only) return StrCat(format_->substr(0, at), text, format_->substr(at + 2));
    e_.Fail("replacementFormat must be format string containing a single %s and no other format specifiers");
    return std::nullopt;
  }

  Evaluation& e_;
  std::string_view replacement_;
  const Function* function_;
  std::optional<std::string_view> format_;
};

// `text` with its matches replaced; nullopt if there are none or it has failed.
std::optional<std::string> Replaced(const Pattern& pattern, std::string_view text, Replacer& replacer) {
  return ReplaceMatches(
      pattern, text, [&](const PatternMatch& match) { return replacer.Apply(Expand(replacer.replacement(), match)); });
}

Value ReplacePattern(Evaluation& e, const Arguments& a) {
  const Value text = a.target->Get(e);
  if (e.failed() || !text.is(Kind::kString)) return {};
  Replacer replacer(e, a, 2);
  const auto replaced = Replaced(a.as<Pattern>(), text.text(), replacer);
  if (replaced && !e.failed()) a.target->Set(e, e.NewString(*replaced));
  return {};
}
constexpr char kReplacePattern[] = "replace_pattern";

Value ReplaceAllPatterns(Evaluation& e, const Arguments& a) {
  const bool is_of_keys = a[1].text() == "key";
  Replacer replacer(e, a, 3);
  const auto entries = a.target->GetEntries(e);
  MapBuilder edited;
  bool is_changed = false;
  for (Entry entry : entries) {
    if (is_of_keys || entry.value.is(Kind::kString)) {
      const auto replaced = Replaced(a.as<Pattern>(), is_of_keys ? entry.key : entry.value.text(), replacer);
      if (replaced && is_of_keys) entry.key = e.arena().Copy(std::string_view(*replaced));
      if (replaced && !is_of_keys) entry.value = e.NewString(*replaced);
      is_changed = is_changed || replaced.has_value();
    }
    edited.Set(entry.key, entry.value);
  }
  if (is_changed && !e.failed()) a.target->SetEntries(e, edited.entries());
  return {};
}
constexpr char kReplaceAllPatterns[] = "replace_all_patterns";

PreparedOr PrepareReplaceAllPatterns(const Arguments& a) {
  const std::string_view mode = a[1].text();
  if (mode == "key" || mode == "value") return PreparePattern<kReplaceAllPatterns, 2>(a);
  return absl::InvalidArgumentError(StrCat("invalid mode ", mode, ", must be either 'key' or 'value'"));
}

PreparedOr PrepareGlob(const Arguments& a) {
  auto expression = GlobToPattern(a[1].text());
  if (!expression.ok()) {
    return absl::InvalidArgumentError(StrCat("the regex pattern supplied to replace_match '", Quoted(a[1].text()),
                                             "' is not a valid pattern: ", expression.status().message()));
  }
  auto pattern = Pattern::Compile("replace_match", *expression);
  if (!pattern.ok()) return pattern.status();
  return PreparedOr(*std::move(pattern));
}

Value ReplaceMatch(Evaluation& e, const Arguments& a) {
  const Value text = a.target->Get(e);
  if (e.failed() || !text.is(Kind::kString) || !a.as<Pattern>().Matches(text.text())) return {};
  Replacer replacer(e, a, 2);
  const auto replaced = replacer.Apply(replacer.replacement());
  if (replaced) a.target->Set(e, e.NewString(*replaced));
  return {};
}

Value ReplaceAllMatches(Evaluation& e, const Arguments& a) {
  Replacer replacer(e, a, 2);
  auto entries = a.target->GetEntries(e);
  bool is_changed = false;
  for (Entry& entry : entries) {
    if (!entry.value.is(Kind::kString) || !a.as<Pattern>().Matches(entry.value.text())) continue;
    const auto replaced = replacer.Apply(replacer.replacement());
    if (!replaced) return {};
    entry.value = e.NewString(*replaced);
    is_changed = true;
  }
  if (is_changed) a.target->SetEntries(e, entries);
  return {};
}

constexpr Function kFunctions[] = {
    {"replace_pattern",
     {kTarget, kRegex, kReplacement, kFunction, kFormat},
     ReplacePattern,
     PreparePattern<kReplacePattern, 1>,
     1 << 1},
    {"replace_all_patterns",
     {kTarget, Parameter{"mode", Type::kStringLiteral}, kRegex, kReplacement, kFunction, kFormat},
     ReplaceAllPatterns,
     PrepareReplaceAllPatterns,
     1 << 1 | 1 << 2},
    {"replace_match", {kTarget, kPattern, kReplacement, kFunction, kFormat}, ReplaceMatch, PrepareGlob, 1 << 1},
    {"replace_all_matches",
     {kTarget, kPattern, kReplacement, kFunction, kFormat},
     ReplaceAllMatches,
     PrepareGlob,
     1 << 1},
};

}  // namespace

std::span<const Function> ReplaceEditors() {
  return kFunctions;
}

}  // namespace spanloom::ottl
