// SPDX-License-Identifier: Apache-2.0

#include "sdk/baggage.h"

#include <absl/algorithm/container.h>
#include <absl/strings/ascii.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>

#include <cstdint>
#include <vector>

#include "base/text.h"
#include "net/http.h"
#include "sdk/trace_context.h"

namespace spanloom::sdk {
namespace {

// RFC 9110, "token": what a name consists of.
bool IsTokenCharacter(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || kMarks.find(c) != std::string_view::npos;
}

// W3C Baggage, "baggage-octet", without "%" since that begins an escape.
bool IsPlainOctet(char c) {
  constexpr std::string_view kEncoded = "\",;\\%";
  return c > ' ' && c <= '~' && kEncoded.find(c) == std::string_view::npos;
}

std::string Encode(std::string_view value) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : value) {
    if (IsPlainOctet(c)) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<uint8_t>(c);
    encoded += '%';
    encoded += kDigits[byte >> 4];
    encoded += kDigits[byte & 0xf];
  }
  return encoded;
}

std::string_view Stripped(absl::string_view text) {
  return StdView(absl::StripAsciiWhitespace(text));
}

std::string_view NameOf(absl::string_view member) {
  return Stripped(member.substr(0, member.find('=')));
}

std::vector<absl::string_view> MembersOf(std::string_view baggage) {
  return absl::StrSplit(AbslView(baggage), ',', absl::SkipWhitespace());
}

}  // namespace

std::optional<std::string> BaggageValue(std::string_view baggage, std::string_view name) {
  for (const absl::string_view member : MembersOf(baggage)) {
    const size_t equals = member.find('=');
    if (equals == absl::string_view::npos || NameOf(member) != name) continue;
    const absl::string_view value = member.substr(equals + 1);
    return net::PercentDecode(Stripped(value.substr(0, value.find(';'))));
  }
  return std::nullopt;
}

bool SetBaggageValue(std::string& baggage, std::string_view name, std::optional<std::string_view> value) {
  if (name.empty() || !absl::c_all_of(name, IsTokenCharacter)) return false;
  std::vector<std::string> members;
  for (const absl::string_view member : MembersOf(baggage)) {
    if (NameOf(member) != name) members.emplace_back(Stripped(member));
  }
  if (value) members.push_back(StrCat(name, "=", Encode(*value)));
  std::string joined = absl::StrJoin(members, ",");
  if (members.size() > kBaggageMembersMax || joined.size() > kBaggageBytesMax) return false;
  baggage = std::move(joined);
  return true;
}

}  // namespace spanloom::sdk
