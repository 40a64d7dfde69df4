// SPDX-License-Identifier: Apache-2.0

#include "pipeline/sampling/sampling_trace_state.h"

#include <absl/algorithm/container.h>
#include <absl/strings/ascii.h>

#include <algorithm>
#include <cstddef>

#include "base/text.h"
#include "pipeline/sampling/sampling_threshold.h"

namespace spanloom::pipeline {
namespace {

constexpr size_t kBytesMax = 1024;
constexpr size_t kMembersMax = 32;
constexpr size_t kKeyBytesMax = 256;
constexpr size_t kTenantBytesMax = 241;
constexpr size_t kSystemBytesMax = 14;
constexpr size_t kValueBytesMax = 256;

Status Malformed(std::string_view what) {
  return absl::InvalidArgumentError(StrCat("tracestate is malformed: ", what));
}

bool IsKeyCharacter(char c) {
  return absl::ascii_islower(static_cast<unsigned char>(c)) || absl::ascii_isdigit(static_cast<unsigned char>(c)) ||
         c == '_' || c == '-' || c == '*' || c == '/';
}

bool IsSimpleKey(std::string_view key, bool may_begin_with_digit) {
  if (key.empty() || !absl::c_all_of(key, IsKeyCharacter)) return false;
  const auto first = static_cast<unsigned char>(key[0]);
  return absl::ascii_islower(first) || (may_begin_with_digit && absl::ascii_isdigit(first));
}

bool IsKey(std::string_view key) {
  if (key.size() > kKeyBytesMax) return false;
  const size_t at = key.find('@');
  if (at == std::string_view::npos) return IsSimpleKey(key, false);
  const std::string_view tenant = key.substr(0, at);
  const std::string_view system = key.substr(at + 1);
  return tenant.size() <= kTenantBytesMax && system.size() <= kSystemBytesMax && IsSimpleKey(tenant, true) &&
         IsSimpleKey(system, false);
}

bool IsValue(std::string_view value) {
  const auto is_character = [](char c) { return c >= 0x20 && c <= 0x7E && c != ',' && c != '='; };
  return !value.empty() && value.size() <= kValueBytesMax && absl::c_all_of(value, is_character) && value.back() != ' ';
}

bool IsFieldKey(std::string_view key) {
  const auto is_character = [](char c) {
    return absl::ascii_islower(static_cast<unsigned char>(c)) || absl::ascii_isdigit(static_cast<unsigned char>(c));
  };
  return !key.empty() && absl::ascii_islower(static_cast<unsigned char>(key[0])) && absl::c_all_of(key, is_character);
}

bool IsFieldValue(std::string_view value) {
  return absl::c_all_of(value, [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
  });
}

// Calls `visit` for what stands between `separator`s, until it returns an error.
template <typename Visit>
Status ForEachPart(std::string_view text, char separator, Visit visit) {
  while (true) {
    const size_t end = text.find(separator);
    RETURN_IF_ERROR(visit(text.substr(0, end)));
    if (end == std::string_view::npos) return absl::OkStatus();
    text.remove_prefix(end + 1);
  }
}

std::string_view WithoutBlanks(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

// Appends `parts` to `out`, each behind a `separator` unless it is the first thing there, as far as they fit in.
void AppendParts(const std::vector<std::string_view>& parts, char separator, size_t bytes_max, std::string& out) {
  for (const std::string_view part : parts) {
    if (out.size() + 1 + part.size() > bytes_max) return;
    if (!out.empty()) out.push_back(separator);
    out.append(part);
  }
}

}  // namespace

StatusOr<SamplingTraceState> SamplingTraceState::Read(std::string_view text) {
  SamplingTraceState state;
  if (text.size() > kBytesMax) return Malformed("it is too long");
  size_t members = 0;
  RETURN_IF_ERROR(ForEachPart(text, ',', [&](std::string_view part) {
    const std::string_view member = WithoutBlanks(part);
    if (member.empty()) return absl::OkStatus();
    if (++members > kMembersMax) return Malformed("it has too many members");
    const size_t equals = member.find('=');
    if (equals == std::string_view::npos || !IsKey(member.substr(0, equals)) || !IsValue(member.substr(equals + 1))) {
      return Malformed("a member is not KEY=VALUE");
    }
    if (member.substr(0, equals) == "ot") return state.ReadOpenTelemetry(member.substr(equals + 1));
    state.other_members_.push_back(member);
    return absl::OkStatus();
  }));
  return state;
}

// A key stands once; where it does not, the last one counts, as in the Collector.
Status SamplingTraceState::ReadOpenTelemetry(std::string_view value) {
  randomness_.reset();
  ClearThreshold();
  other_fields_.clear();
  return ForEachPart(value, ';', [this](std::string_view field) {
    const size_t colon = field.find(':');
    if (colon == std::string_view::npos || !IsFieldKey(field.substr(0, colon)) ||
        !IsFieldValue(field.substr(colon + 1))) {
      return Malformed("a field of ot is not KEY:VALUE");
    }
    const std::string_view key = field.substr(0, colon);
    const std::string_view text = field.substr(colon + 1);
    if (key == "rv") {
      randomness_ = ReadRandomness(text);
      randomness_text_ = text;
      return randomness_ ? absl::OkStatus() : Malformed("rv must have 14 hexadecimal digits");
    }
    if (key == "th") {
      threshold_ = ReadThreshold(text);
      threshold_text_ = text;
      return threshold_ ? absl::OkStatus() : Malformed("th must have 1 to 14 hexadecimal digits");
    }
    other_fields_.push_back(field);
    return absl::OkStatus();
  });
}

void SamplingTraceState::SetRandomness(uint64_t randomness) {
  randomness_ = randomness;
  randomness_text_ = RandomnessText(randomness);
}

void SamplingTraceState::ClearThreshold() {
  threshold_.reset();
  threshold_text_.clear();
}

void SamplingTraceState::RaiseThreshold(uint64_t threshold) {
  if (threshold_ && *threshold_ > threshold) return;
  threshold_ = threshold;
  threshold_text_ = ThresholdText(threshold);
}

std::string SamplingTraceState::ToString() const {
  std::string fields;
  if (randomness_) StrAppend(fields, "rv:", randomness_text_);
  if (threshold_) StrAppend(fields, fields.empty() ? "" : ";", "th:", threshold_text_);
  AppendParts(other_fields_, ';', kValueBytesMax, fields);
  std::string text = fields.empty() ? "" : StrCat("ot=", fields);
  std::vector<std::string_view> members = other_members_;
  if (!fields.empty()) members.resize(std::min(members.size(), kMembersMax - 1));
  AppendParts(members, ',', kBytesMax, text);
  return text;
}

}  // namespace spanloom::pipeline
