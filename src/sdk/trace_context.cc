// SPDX-License-Identifier: Apache-2.0

#include "sdk/trace_context.h"

#include <absl/algorithm/container.h>
#include <absl/strings/ascii.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>
#include <absl/strings/strip.h>

#include <utility>
#include <vector>

#include "base/check.h"
#include "base/text.h"
#include "sdk/b3.h"

namespace spanloom::sdk {
namespace {

constexpr std::string_view kTraceParent = "traceparent";
constexpr std::string_view kTraceState = "tracestate";
constexpr std::string_view kBaggage = "baggage";
constexpr size_t kTraceParentSize = 55;  // 2 + 1 + 32 + 1 + 16 + 1 + 2

bool IsLowerHex(std::string_view text) {
  return absl::c_all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

uint8_t HexByte(std::string_view digits) {
  const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  return static_cast<uint8_t>(value(digits[0]) << 4 | value(digits[1]));
}

// A tracestate key: a lower case letter or digit, then those and _-*/ ; one "@" may part a tenant (241) from a system
// (14). Level 2, "key".
bool IsTraceStateKey(std::string_view key) {
  const auto is_start = [](char c) { return absl::ascii_islower(c) || absl::ascii_isdigit(c); };
  const auto is_rest = [&](char c) { return is_start(c) || c == '_' || c == '-' || c == '*' || c == '/'; };
  const auto is_part = [&](std::string_view part, size_t size_max) {
    return !part.empty() && part.size() <= size_max && is_start(part[0]) && absl::c_all_of(part, is_rest);
  };
  const size_t at = key.find('@');
  if (at == std::string_view::npos) return is_part(key, 256);
  return is_part(key.substr(0, at), 241) && is_part(key.substr(at + 1), 14);
}

// Printable ASCII without "," and "=", at most 256, not ending in a space.
bool IsTraceStateValue(std::string_view value) {
  const auto is_valid = [](char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; };
  return !value.empty() && value.size() <= 256 && value.back() != ' ' && absl::c_all_of(value, is_valid);
}

// The members of a list that are not empty, without optional whitespace around them.
std::vector<std::string_view> Members(std::string_view text) {
  std::vector<std::string_view> members;
  for (const absl::string_view part : absl::StrSplit(AbslView(text), ',')) {
    const absl::string_view member = absl::StripAsciiWhitespace(part);
    if (!member.empty()) members.push_back(StdView(member));
  }
  return members;
}

std::string Join(const std::vector<std::string_view>& members) {
  return absl::StrJoin(members, ",", [](std::string* out, std::string_view member) { out->append(member); });
}

size_t JoinedSize(const std::vector<std::string_view>& members) {
  size_t size = members.empty() ? 0 : members.size() - 1;
  for (const std::string_view member : members) size += member.size();
  return size;
}

bool AreTraceStateMembers(const std::vector<std::string_view>& members) {
  std::vector<std::string_view> keys;
  for (const std::string_view member : members) {
    const size_t equals = member.find('=');
    if (equals == std::string_view::npos) return false;
    const std::string_view key = member.substr(0, equals);
    if (!IsTraceStateKey(key) || !IsTraceStateValue(member.substr(equals + 1))) return false;
    keys.push_back(key);
  }
  absl::c_sort(keys);
  return absl::c_adjacent_find(keys) == keys.end();
}

void TrimTraceState(std::vector<std::string_view>& members) {
  const auto exceeds = [&] {
    return members.size() > kTraceStateMembersMax || JoinedSize(members) > kTraceStateBytesMax;
  };
  for (size_t i = members.size(); i > 0 && exceeds(); --i) {
    if (members[i - 1].size() > kTraceStateLongMemberBytes)
      members.erase(members.begin() + static_cast<ptrdiff_t>(i - 1));
  }
  while (exceeds()) members.pop_back();
}

std::string ReadBaggage(std::string_view text) {
  std::vector<std::string_view> members = Members(text);
  while (members.size() > kBaggageMembersMax || JoinedSize(members) > kBaggageBytesMax) members.pop_back();
  return Join(members);
}

// All values of `name` as one list; how many headers there were is in `count`.
std::string JoinedValues(const net::HttpHeaders& headers, std::string_view name, size_t& count) {
  std::string joined;
  for (const auto& [field, value] : headers.fields()) {
    if (field == name) StrAppend(joined, count++ == 0 ? "" : ",", value);
  }
  return joined;
}

// Not valid if there is no traceparent, more than one, or a bad one.
TraceContext ReadW3c(const net::HttpHeaders& headers) {
  size_t parents = 0;
  const std::string parent = JoinedValues(headers, kTraceParent, parents);
  const auto parsed = parents == 1 ? ParseTraceParent(StdView(absl::StripAsciiWhitespace(parent))) : std::nullopt;
  if (!parsed) return {};
  TraceContext context = *parsed;
  size_t states = 0;
  context.trace_state = ReadTraceState(JoinedValues(headers, kTraceState, states));
  return context;
}

}  // namespace

std::optional<TraceContext> ParseTraceParent(std::string_view text) {
  if (text.size() < kTraceParentSize || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  const std::string_view version = text.substr(0, 2);
  const std::string_view trace_id = text.substr(3, 32);
  const std::string_view span_id = text.substr(36, 16);
  const std::string_view flags = text.substr(53, 2);
  if (!IsLowerHex(version) || !IsLowerHex(trace_id) || !IsLowerHex(span_id) || !IsLowerHex(flags)) return std::nullopt;
  if (version == "ff") return std::nullopt;
  const bool has_more = text.size() > kTraceParentSize;
  if (has_more && (version == "00" || text[kTraceParentSize] != '-')) return std::nullopt;
  TraceContext context;
  context.trace_id = *otlp::ParseTraceId(trace_id);
  context.span_id = *otlp::ParseSpanId(span_id);
  context.flags = HexByte(flags) & (kSampledFlag | kRandomFlag);
  if (!context.IsValid()) return std::nullopt;
  return context;
}

std::string FormatTraceParent(const TraceContext& context) {
  DCHECK(context.IsValid());
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = StrCat("00-", context.trace_id.Hex(), "-", context.span_id.Hex(), "-");
  text += kDigits[context.flags >> 4];
  text += kDigits[context.flags & 0xf];
  return text;
}

std::string ReadTraceState(std::string_view text) {
  if (text.empty()) return {};
  std::vector<std::string_view> members = Members(text);
  if (!AreTraceStateMembers(members)) return {};
  TrimTraceState(members);
  return Join(members);
}

TraceContext Extract(const net::HttpHeaders& headers, const Propagation& propagation) {
  TraceContext context;
  if (propagation.has_w3c) context = ReadW3c(headers);
  if (!context.IsValid() && (propagation.has_b3 || propagation.has_b3_multi)) {
    if (std::optional<TraceContext> b3 = ReadB3(headers)) context = *std::move(b3);
  }
  context.is_remote = true;
  if (!propagation.has_baggage) return context;
  size_t baggages = 0;
  context.baggage = ReadBaggage(JoinedValues(headers, kBaggage, baggages));
  return context;
}

void Inject(const TraceContext& context, net::HttpHeaders& headers, const Propagation& propagation) {
  if (propagation.has_w3c) {
    headers.Set(kTraceParent, context.IsValid() ? FormatTraceParent(context) : "");
    headers.Set(kTraceState, context.IsValid() ? context.trace_state : "");
  }
  if (propagation.has_b3) WriteB3(context, headers);
  if (propagation.has_b3_multi) WriteB3Multi(context, headers);
  if (propagation.has_baggage) headers.Set(kBaggage, context.baggage);
}

}  // namespace spanloom::sdk
