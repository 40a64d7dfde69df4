// SPDX-License-Identifier: Apache-2.0

#include "net/grpc/timeout.h"

#include <algorithm>
#include <cstdint>

#include "base/text.h"

namespace spanloom::net::grpc {
namespace {

constexpr size_t kDigitsMax = 8;
constexpr int64_t kSecondNs = 1'000'000'000;

// Nanoseconds of a unit; 0 if there is no such unit.
int64_t UnitNs(char unit) {
  switch (unit) {
    case 'H':
      return 3'600 * kSecondNs;
    case 'M':
      return 60 * kSecondNs;
    case 'S':
      return kSecondNs;
    case 'm':
      return kSecondNs / 1'000;
    case 'u':
      return kSecondNs / 1'000'000;
    case 'n':
      return 1;
    default:
      return 0;
  }
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

Status Malformed(std::string_view text) {
  return absl::InternalError(StrCat("malformed grpc-timeout: \"", text.substr(0, 32), "\""));
}

}  // namespace

StatusOr<std::chrono::nanoseconds> ParseTimeout(std::string_view text) {
  if (text.size() < 2 || text.size() > kDigitsMax + 1) return Malformed(text);
  const int64_t unit_ns = UnitNs(text.back());
  const std::string_view digits = text.substr(0, text.size() - 1);
  if (unit_ns == 0 || !std::all_of(digits.begin(), digits.end(), IsDigit)) return Malformed(text);
  int64_t value = 0;
  for (const char digit : digits) value = value * 10 + (digit - '0');
  return std::chrono::nanoseconds(value > INT64_MAX / unit_ns ? INT64_MAX : value * unit_ns);
}

}  // namespace spanloom::net::grpc
