// SPDX-License-Identifier: Apache-2.0

#include "cli/tracegen/draw.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "base/check.h"

namespace spanloom::cli::tracegen {
namespace {

constexpr int64_t kGregorianOffset = 0x01B21DD213814000;  // 100 ns steps from 1582-10-15 to 1970-01-01; RFC 9562, 5.1
constexpr std::string_view kDigits = "0123456789abcdef";
constexpr uint64_t kNodeMask = (uint64_t{1} << 48) - 1;

// Writes the low `digits` hexadecimal digits of `value`, and after them a hyphen unless it is the last group.
char* AppendGroup(char* out, uint64_t value, int digits) {
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) *out++ = kDigits[(value >> shift) & 0xf];
  *out++ = '-';
  return out;
}

// 8-4-4-4-12 digits of the 128 bits `high`, `low`.
std::string FormatUuid(uint64_t high, uint64_t low) {
  std::array<char, 37> text;
  char* out = AppendGroup(text.data(), high >> 32, 8);
  out = AppendGroup(out, high >> 16, 4);
  out = AppendGroup(out, high, 4);
  out = AppendGroup(out, low >> 48, 4);
  AppendGroup(out, low, 12);
  return std::string(text.data(), 36);
}

constexpr uint64_t WithVersion(uint64_t high, uint64_t version) {
  return (high & ~uint64_t{0xf000}) | version << 12;
}

constexpr uint64_t WithVariant(uint64_t low) {
  return (low & ~(uint64_t{3} << 62)) | uint64_t{2} << 62;
}

}  // namespace

int64_t Between(Rng& rng, int64_t low, int64_t high) {
  DCHECK(low <= high);
  return low + static_cast<int64_t>(rng.Below(static_cast<uint64_t>(high - low) + 1));
}

bool Chance(Rng& rng, double probability) {
  return rng.Unit() < probability;
}

double Exponential(Rng& rng, double mean) {
  return -mean * std::log1p(-rng.Unit());
}

int64_t LogNormal(Rng& rng, double median, double spread, int64_t low, int64_t high) {
  // Box and Muller: two uniform numbers make a normal one.
  const double radius = std::sqrt(Exponential(rng, 2));
  const double normal = radius * std::cos(2 * std::numbers::pi * rng.Unit());
  const double value = median * std::exp(std::log(spread) * normal);
  return std::clamp(std::llround(std::min(value, 1e15)), static_cast<long long>(low), static_cast<long long>(high));
}

std::string UuidV4(Rng& rng) {
  const uint64_t high = rng.Next();
  return FormatUuid(WithVersion(high, 4), WithVariant(rng.Next()));
}

std::string UuidV1(Rng& rng, int64_t unix_ns, uint64_t node) {
  const uint64_t time = static_cast<uint64_t>(unix_ns / 100 + kGregorianOffset);
  const uint64_t high = time << 32 | (time >> 16 & 0xffff'0000) | (time >> 48 & 0xfff);
  const uint64_t low = rng.Next() << 48 | (node & kNodeMask);
  return FormatUuid(WithVersion(high, 1), WithVariant(low));
}

}  // namespace spanloom::cli::tracegen
