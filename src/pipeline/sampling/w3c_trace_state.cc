// SPDX-License-Identifier: Apache-2.0

#include "pipeline/sampling/w3c_trace_state.h"

#include <absl/algorithm/container.h>
#include <absl/container/inlined_vector.h>
#include <absl/strings/ascii.h>

#include <algorithm>
#include <cstddef>

namespace spanloom::pipeline {
namespace {

constexpr size_t kMembersMax = 32;
constexpr size_t kKeySizeMax = 256;
constexpr size_t kValueSizeMax = 256;
constexpr std::string_view kBlank = " \t";

std::string_view Stripped(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
  return text.substr(0, text.find_last_not_of(kBlank) + 1);
}

bool IsKeyCharacter(char c) {
  return absl::ascii_islower(static_cast<unsigned char>(c)) || absl::ascii_isdigit(static_cast<unsigned char>(c)) ||
         c == '_' || c == '-' || c == '*' || c == '/' || c == '@';
}

bool IsKey(std::string_view key) {
  const auto begins = [](char c) {
    return absl::ascii_islower(static_cast<unsigned char>(c)) || absl::ascii_isdigit(static_cast<unsigned char>(c));
  };
  return !key.empty() && key.size() <= kKeySizeMax && begins(key.front()) && absl::c_all_of(key, IsKeyCharacter);
}

bool IsValue(std::string_view value) {
  return !value.empty() && value.size() <= kValueSizeMax &&
         absl::c_all_of(value, [](char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; });
}

}  // namespace

std::optional<std::string_view> FindInTraceState(std::string_view trace_state, std::string_view key) {
  std::optional<std::string_view> found;
  absl::InlinedVector<std::string_view, 4> keys;
  while (!trace_state.empty()) {
    const size_t comma = std::min(trace_state.find(','), trace_state.size());
    const std::string_view member = Stripped(trace_state.substr(0, comma));
    trace_state.remove_prefix(std::min(comma + 1, trace_state.size()));
    if (member.empty()) continue;
    const size_t equals = member.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view member_key = member.substr(0, equals);
    const std::string_view value = member.substr(equals + 1);
    if (!IsKey(member_key) || !IsValue(value)) return std::nullopt;
    if (absl::c_linear_search(keys, member_key) || keys.size() == kMembersMax) return std::nullopt;
    keys.push_back(member_key);
    if (member_key == key) found = value;
  }
  return found;
}

}  // namespace spanloom::pipeline
