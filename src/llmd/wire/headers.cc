// SPDX-License-Identifier: Apache-2.0

#include "llmd/wire/headers.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/text.h"

namespace spanloom::llmd::wire {
namespace {

constexpr std::array kRoutingHeaders = {kPrefillHeader, kPrefillHeaderNew, kPrefillUrlHeader, kDataParallelHeader,
                                        kEncoderHeader, kEncoderHeaderNew, kKvSourceHeader,   kKvSourceHeaderNew};

// In this order: of several, the first that has a value counts.
constexpr std::array kPrefillHeaders = {kPrefillHeader, kPrefillHeaderNew, kPrefillUrlHeader};

constexpr size_t kHostBytesMax = 253;  // RFC 1035, 2.3.4, as text

std::string_view WithoutScheme(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (absl::StartsWithIgnoreCase(AbslView(target), AbslView(scheme))) target.remove_prefix(scheme.size());
  }
  if (target.ends_with('/')) target.remove_suffix(1);
  return target;
}

void AppendTargets(std::string_view list, std::vector<std::string>& targets) {
  while (!list.empty()) {
    const std::string_view item = list.substr(0, list.find(','));
    list.remove_prefix(std::min(item.size() + 1, list.size()));
    const std::string_view target = WithoutScheme(StdView(absl::StripAsciiWhitespace(AbslView(item))));
    if (!target.empty()) targets.emplace_back(target);
  }
}

bool IsHostCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == '_';
}

bool IsAddressCharacter(char c) {
  return absl::ascii_isxdigit(static_cast<unsigned char>(c)) || c == ':' || c == '.';
}

}  // namespace

bool IsRoutingHeader(std::string_view name) {
  return std::find(kRoutingHeaders.begin(), kRoutingHeaders.end(), name) != kRoutingHeaders.end();
}

std::vector<std::string> PrefillTargets(const net::HttpHeaders& headers) {
  std::vector<std::string> targets;
  for (const std::string_view wanted : kPrefillHeaders) {
    for (const auto& [name, value] : headers.fields()) {
      if (name == wanted) AppendTargets(value, targets);
    }
    if (!targets.empty()) break;
  }
  return targets;
}

bool IsHostPort(std::string_view target) {
  const size_t colon = target.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  uint32_t port = 0;
  const std::string_view digits = target.substr(colon + 1);
  const bool has_digits = !digits.empty() && std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit);
  if (!has_digits || !absl::SimpleAtoi(AbslView(digits), &port) || port == 0 || port > 65535) return false;
  std::string_view host = target.substr(0, colon);
  if (host.size() > kHostBytesMax) return false;
  if (host.size() > 2 && host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    return std::all_of(host.begin(), host.end(), IsAddressCharacter);
  }
  return std::all_of(host.begin(), host.end(), IsHostCharacter);
}

}  // namespace spanloom::llmd::wire
