// SPDX-License-Identifier: Apache-2.0

#include "otlp/trace_state.h"

#include <absl/algorithm/container.h>
#include <absl/strings/ascii.h>

#include <algorithm>
#include <cstddef>

#include "base/text.h"

namespace spanloom::otlp {
namespace {

// W3C Trace Context Level 2, 3.3.1.3.
constexpr size_t kMembersMax = 32;
constexpr size_t kKeySizeMax = 256;
constexpr size_t kTenantSizeMax = 241;
constexpr size_t kSystemSizeMax = 14;
constexpr size_t kValueSizeMax = 256;
constexpr std::string_view kBlank = " \t";

bool IsLower(char c) {
  return absl::ascii_islower(static_cast<unsigned char>(c));
}
bool IsLowerOrDigit(char c) {
  return IsLower(c) || absl::ascii_isdigit(static_cast<unsigned char>(c));
}

bool IsKeyPart(std::string_view part, size_t size_max) {
  return !part.empty() && part.size() <= size_max &&
         absl::c_all_of(part, [](char c) { return IsLowerOrDigit(c) || c == '_' || c == '-' || c == '*' || c == '/'; });
}

bool IsKey(std::string_view key) {
  const size_t at = key.find('@');
  if (at == std::string_view::npos) return IsKeyPart(key, kKeySizeMax) && IsLower(key[0]);
  const std::string_view tenant = key.substr(0, at);
  const std::string_view system = key.substr(at + 1);
  return IsKeyPart(tenant, kTenantSizeMax) && IsLowerOrDigit(tenant[0]) && IsKeyPart(system, kSystemSizeMax) &&
         IsLower(system[0]);
}

bool IsValue(std::string_view value) {
  return !value.empty() && value.size() <= kValueSizeMax && value.back() != ' ' &&
         absl::c_all_of(value, [](char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; });
}

}  // namespace

std::optional<TraceState> TraceState::Parse(std::string_view text) {
  TraceState state;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view member = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (member.empty()) continue;
    const size_t equals = member.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    std::string_view key = member.substr(0, equals);
    std::string_view value = member.substr(equals + 1);
    key.remove_prefix(std::min(key.find_first_not_of(kBlank), key.size()));
    value = value.substr(0, value.find_last_not_of(kBlank) + 1);
    if (!IsKey(key) || !IsValue(value) || state.Find(key)) return std::nullopt;
    if (state.members_.size() == kMembersMax) return std::nullopt;
    state.members_.emplace_back(key, value);
  }
  return state;
}

std::optional<std::string_view> TraceState::Find(std::string_view key) const {
  const auto found = absl::c_find_if(members_, [key](const auto& member) { return member.first == key; });
  return found == members_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::string> TraceState::With(std::string_view key, std::string_view value) const {
  if (!IsKey(key) || !IsValue(value)) return std::nullopt;
  std::string text = StrCat(key, "=", value);
  size_t count = 1;
  for (const auto& [name, entry] : members_) {
    if (name == key || count == kMembersMax) continue;
    StrAppend(text, ",", name, "=", entry);
    ++count;
  }
  return text;
}

}  // namespace spanloom::otlp
