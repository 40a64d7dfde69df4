// SPDX-License-Identifier: Apache-2.0

#include "otlp/ids.h"

namespace spanloom::otlp {
namespace {

constexpr char kDigits[] = "0123456789abcdef";

constexpr std::array<int8_t, 256> MakeDigitValues() {
  std::array<int8_t, 256> values{};
  values.fill(-1);
  for (int8_t i = 0; i < 10; ++i) values['0' + i] = i;
  for (int8_t i = 0; i < 6; ++i) values['a' + i] = values['A' + i] = static_cast<int8_t>(10 + i);
  return values;
}

// The value of a hexadecimal digit of either case, or -1.
constexpr std::array<int8_t, 256> kDigitValues = MakeDigitValues();

// Fills the id from its last digit backwards, so that what is missing in front stays zero.
template <size_t kSize>
std::optional<Id<kSize>> ParseHex(std::string_view hex) {
  if (hex.empty() || hex.size() > 2 * kSize) return std::nullopt;
  Id<kSize> id;
  for (size_t i = 0; i < hex.size(); ++i) {
    const int value = kDigitValues[static_cast<uint8_t>(hex[hex.size() - 1 - i])];
    if (value < 0) return std::nullopt;
    id.bytes[kSize - 1 - i / 2] |= static_cast<uint8_t>(i % 2 == 0 ? value : value << 4);
  }
  return id;
}

}  // namespace

template <size_t kSize>
std::string Id<kSize>::Hex() const {
  std::string hex;
  hex.reserve(2 * kSize);
  for (const uint8_t byte : bytes) {
    hex.push_back(kDigits[byte >> 4]);
    hex.push_back(kDigits[byte & 0xf]);
  }
  return hex;
}

template struct Id<16>;
template struct Id<8>;

std::optional<TraceId> ParseTraceId(std::string_view hex) {
  return ParseHex<16>(hex);
}
std::optional<SpanId> ParseSpanId(std::string_view hex) {
  return ParseHex<8>(hex);
}

}  // namespace spanloom::otlp
