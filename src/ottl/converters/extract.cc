// SPDX-License-Identifier: Apache-2.0
//
// Converters that take parts out of a string by patterns.

#include <string>
#include <vector>

#include "base/text.h"
#include "ottl/function_table.h"
#include "ottl/grok.h"
#include "ottl/map_builder.h"
#include "ottl/pattern.h"

namespace spanloom::ottl {
namespace {

using Type = ParameterType;

constexpr Parameter kTarget = {"target", Type::kString};
constexpr Parameter kPattern = {"pattern", Type::kString};

PreparedOr PrepareExtractPatterns(const Arguments& a) {
  auto pattern = Pattern::Compile("ExtractPatterns", a[1].text());
  if (!pattern.ok()) return pattern.status();
  return PreparedOr(*std::move(pattern));
}

Value ExtractPatterns(Evaluation& e, const Arguments& a) {
  const re2::RE2& pattern = a.as<Pattern>().re2();
  if (pattern.CapturingGroupNames().empty()) {
    return e.Fail("at least 1 named capture group must be supplied in the given regex");
  }
  const std::string_view text = a[0].text();
  std::vector<re2::StringPiece> groups(static_cast<size_t>(pattern.NumberOfCapturingGroups()) + 1);
  MapBuilder map;
  if (pattern.Match({text.data(), text.size()}, 0, text.size(), re2::RE2::UNANCHORED, groups.data(),
                    static_cast<int>(groups.size()))) {
    for (const auto& [number, name] : pattern.CapturingGroupNames()) {
      const re2::StringPiece& group = groups[static_cast<size_t>(number)];
      map.Set(e.arena().Copy(std::string_view(name)), e.NewString({group.data(), group.size()}));
    }
  }
  return e.NewMap(map.entries());
}

PreparedOr PrepareGrok(const Arguments& a) {
  Arena arena;
  std::vector<std::string> definitions;
  if (a.has(3)) {
    for (const Value& definition : ElementsOf(a[3], arena)) definitions.emplace_back(definition.text());
  }
  auto pattern = GrokPattern::Compile(a[1].text(), a.has(2) && a[2].bool_value(), definitions);
  if (!pattern.ok()) return pattern.status();
  return PreparedOr(*std::move(pattern));
}

Value ExtractGrokPatterns(Evaluation& e, const Arguments& a) {
  const auto entries = a.as<GrokPattern>().Extract(a[0].text(), e.arena());
  return entries.ok() ? e.NewMap(*entries) : e.Fail(std::string(entries.status().message()));
}

constexpr Function kFunctions[] = {
    {"ExtractPatterns", {kTarget, kPattern}, ExtractPatterns, PrepareExtractPatterns, 1 << 1},
    {"ExtractGrokPatterns",
     {kTarget, kPattern, Parameter{"namedCapturesOnly", Type::kBoolLiteral, true},
      Parameter{"patternDefinitions", Type::kStringLiterals, true}},
     ExtractGrokPatterns,
     PrepareGrok,
     1 << 1 | 1 << 2 | 1 << 3},
};

}  // namespace

std::span<const Function> ExtractConverters() {
  return kFunctions;
}

}  // namespace spanloom::ottl
