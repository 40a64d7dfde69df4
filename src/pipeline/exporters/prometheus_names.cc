// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/prometheus_names.h"

#include <absl/algorithm/container.h>
#include <absl/strings/ascii.h>

#include <utility>
#include <vector>

#include "base/text.h"

namespace spanloom::pipeline {
namespace {

using Tokens = std::vector<std::string>;

constexpr std::pair<std::string_view, std::string_view> kUnits[] = {
    {"d", "days"},          {"h", "hours"},        {"min", "minutes"},   {"s", "seconds"},      {"ms", "milliseconds"},
    {"us", "microseconds"}, {"ns", "nanoseconds"}, {"By", "bytes"},      {"KiBy", "kibibytes"}, {"MiBy", "mebibytes"},
    {"GiBy", "gibibytes"},  {"TiBy", "tibibytes"}, {"KBy", "kilobytes"}, {"MBy", "megabytes"},  {"GBy", "gigabytes"},
    {"TBy", "terabytes"},   {"m", "meters"},       {"V", "volts"},       {"A", "amperes"},      {"J", "joules"},
    {"W", "watts"},         {"g", "grams"},        {"Cel", "celsius"},   {"Hz", "hertz"},       {"1", ""},
    {"%", "percent"},
};
constexpr std::pair<std::string_view, std::string_view> kPerUnits[] = {
    {"s", "second"}, {"m", "minute"}, {"h", "hour"}, {"d", "day"}, {"w", "week"}, {"mo", "month"}, {"y", "year"},
};

template <typename Table>
std::string_view Lookup(const Table& table, std::string_view key) {
  const auto* found = absl::c_find_if(table, [&](const auto& entry) { return entry.first == key; });
  return found == std::end(table) ? key : found->second;
}

bool IsNameCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == ':';
}

// The parts between characters that no name has; underscores are such if `at_underscores`.
Tokens Split(std::string_view text, bool at_underscores) {
  Tokens tokens;
  bool is_inside = false;
  for (const char c : text) {
    const bool belongs = IsNameCharacter(c) || (c == '_' && !at_underscores);
    if (belongs && !is_inside) tokens.emplace_back();
    if (belongs) tokens.back().push_back(c);
    is_inside = belongs;
  }
  return tokens;
}

std::string Join(const Tokens& tokens) {
  std::string text;
  for (const std::string& token : tokens) StrAppend(text, text.empty() ? "" : "_", token);
  return text;
}

// A unit as words of a name; "" for an annotation in braces.
template <typename Table>
std::string UnitWords(const Table& table, std::string_view unit) {
  unit = StdView(absl::StripAsciiWhitespace(AbslView(unit)));
  if (unit.empty() || unit.find_first_of("{}") != std::string_view::npos) return "";
  return Join(Split(Lookup(table, unit), true));
}

void AddUnit(std::string_view unit, Tokens& tokens) {
  const size_t slash = unit.find('/');
  const std::string main = UnitWords(kUnits, unit.substr(0, slash));
  std::string per = slash == std::string_view::npos ? "" : UnitWords(kPerUnits, unit.substr(slash + 1));
  if (!per.empty()) per = "per_" + per;
  for (const auto* words : {&std::as_const(main), &std::as_const(per)}) {
    if (!words->empty() && !absl::c_linear_search(tokens, *words)) tokens.push_back(*words);
  }
}

void MoveToEnd(const std::string& word, Tokens& tokens) {
  std::erase(tokens, word);
  tokens.push_back(word);
}

}  // namespace

std::string PrometheusMetricName(std::string_view name, std::string_view unit, PrometheusKind kind,
                                 std::string_view prefix, bool has_suffixes) {
  Tokens tokens = Split(name, has_suffixes);
  if (has_suffixes) {
    AddUnit(unit, tokens);
    if (kind == PrometheusKind::kCounter) MoveToEnd("total", tokens);
    if (kind == PrometheusKind::kGauge && unit == "1") MoveToEnd("ratio", tokens);
  }
  if (!prefix.empty()) tokens.insert(tokens.begin(), Join(Split(prefix, false)));
  std::string joined = Join(tokens);
  if (!joined.empty() && absl::ascii_isdigit(static_cast<unsigned char>(joined[0]))) joined = StrCat("_", joined);
  return joined;
}

std::string PrometheusLabelName(std::string_view name) {
  std::string label(name);
  for (char& c : label) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  if (label.empty()) return label;
  if (absl::ascii_isdigit(static_cast<unsigned char>(label[0]))) return "key_" + label;
  return label.starts_with('_') && !label.starts_with("__") ? "key" + label : label;
}

}  // namespace spanloom::pipeline
