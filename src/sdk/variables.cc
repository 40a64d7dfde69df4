// SPDX-License-Identifier: Apache-2.0

#include "sdk/variables.h"

#include <absl/algorithm/container.h>
#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>

#include <cstdlib>

#include "base/check.h"
#include "base/text.h"
#include "base/utf8.h"
#include "net/http.h"

namespace spanloom::sdk {
namespace {

bool IsEscape(std::string_view text, size_t at) {
  const auto is_hex = [&](size_t i) { return absl::ascii_isxdigit(static_cast<unsigned char>(text[i])); };
  return at + 2 < text.size() && is_hex(at + 1) && is_hex(at + 2);
}

void SetPair(TextPairs& pairs, std::string name, std::string value) {
  const auto found = absl::c_find_if(pairs, [&](const auto& pair) { return pair.first == name; });
  if (found != pairs.end()) {
    found->second = std::move(value);
  } else {
    pairs.emplace_back(std::move(name), std::move(value));
  }
}

}  // namespace

std::optional<std::string> LookUpProcessVariable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

Variable Variables::Text(std::initializer_list<std::string_view> names) const {
  CHECK(names.size() > 0);
  Variable variable;
  for (const std::string_view name : names) {
    variable.name = std::string(name);
    variable.value = look_up_(variable.name).value_or("");
    absl::StripAsciiWhitespace(&variable.value);
    if (variable.is_set()) break;
  }
  return variable;
}

int64_t Variables::Number(std::initializer_list<std::string_view> names, int64_t otherwise, NumberRange range) {
  const Variable variable = Text(names);
  if (!variable.is_set()) return otherwise;
  int64_t number = 0;
  if (absl::SimpleAtoi(variable.value, &number) && number >= range.min && number <= range.max) return number;
  Warn(StrCat(variable.name, " must be a whole number from ", range.min, " to ", range.max, ", got \"", variable.value,
              "\"; it is as if it were not set"));
  return otherwise;
}

std::chrono::milliseconds Variables::Milliseconds(std::initializer_list<std::string_view> names, int64_t otherwise,
                                                  NumberRange range) {
  const bool is_unlimited = range.min > 0 && Text(names).value == "0";
  return std::chrono::milliseconds(is_unlimited ? range.max : Number(names, otherwise, range));
}

bool Variables::Truth(std::initializer_list<std::string_view> names) {
  const Variable variable = Text(names);
  if (absl::EqualsIgnoreCase(variable.value, "true")) return true;
  if (variable.is_set() && !absl::EqualsIgnoreCase(variable.value, "false")) {
    Warn(StrCat(variable.name, " must be true or false, got \"", variable.value, "\"; it is taken as false"));
  }
  return false;
}

StatusOr<size_t> Variables::Choice(std::initializer_list<std::string_view> names, size_t otherwise,
                                   const std::vector<std::string_view>& choices) const {
  const Variable variable = Text(names);
  if (!variable.is_set()) return otherwise;
  for (size_t i = 0; i < choices.size(); ++i) {
    if (absl::EqualsIgnoreCase(variable.value, AbslView(choices[i]))) return i;
  }
  const std::string listed =
      absl::StrJoin(choices, ", ", [](std::string* out, std::string_view choice) { out->append(choice); });
  return absl::InvalidArgumentError(
      StrCat(variable.name, " must be one of ", listed, ", got \"", variable.value, "\""));
}

std::optional<std::string> StrictPercentDecode(std::string_view text) {
  for (size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
    if (!IsEscape(text, at)) return std::nullopt;
  }
  std::string decoded = net::PercentDecode(text);
  if (!IsUtf8(decoded)) return std::nullopt;
  return decoded;
}

StatusOr<TextPairs> ParsePairs(const Variable& variable) {
  TextPairs pairs;
  size_t position = 0;
  for (const absl::string_view item : absl::StrSplit(variable.value, ',')) {
    ++position;
    if (absl::StripAsciiWhitespace(item).empty()) continue;
    const size_t equals = item.find('=');
    if (equals == absl::string_view::npos) {
      return absl::InvalidArgumentError(
          StrCat(variable.name, " must be NAME=VALUE,NAME=VALUE; item ", position, " has no \"=\""));
    }
    auto name = StrictPercentDecode(StdView(absl::StripAsciiWhitespace(item.substr(0, equals))));
    auto value = StrictPercentDecode(StdView(absl::StripAsciiWhitespace(item.substr(equals + 1))));
    if (!name || name->empty() || !value) {
      return absl::InvalidArgumentError(
          StrCat(variable.name,
                 " must be NAME=VALUE,NAME=VALUE with \",\", \"=\" and \"%\" of names and values as %2C, "
                 "%3D and %25; item ",
                 position, " has ", !value ? "a malformed value" : "no valid name"));
    }
    SetPair(pairs, *std::move(name), *std::move(value));
  }
  return pairs;
}

}  // namespace spanloom::sdk
