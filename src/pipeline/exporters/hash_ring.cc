// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/hash_ring.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace spanloom::pipeline {
namespace {

constexpr std::array<uint32_t, 256> Crc32Table() {
  constexpr uint32_t kPolynomial = 0xEDB88320;  // reflected
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? kPolynomial : 0);
    table[byte] = remainder;
  }
  return table;
}

constexpr std::array<uint32_t, 256> kCrc32Table = Crc32Table();

uint32_t PositionOf(std::string_view key) {
  return Crc32(key) % kRingPositions;
}

}  // namespace

uint32_t Crc32(std::string_view bytes) {
  uint32_t remainder = ~uint32_t{0};
  for (const char byte : bytes) {
    remainder = (remainder >> 8) ^ kCrc32Table[(remainder ^ static_cast<uint8_t>(byte)) & 0xFF];
  }
  return ~remainder;
}

HashRing::HashRing(const std::vector<std::string>& endpoints, int points) {
  CHECK(points <= 256);
  std::vector<bool> taken(kRingPositions);
  for (size_t endpoint = 0; endpoint < endpoints.size(); ++endpoint) {
    std::string key = endpoints[endpoint] + '\0';
    for (int point = 0; point < points; ++point) {
      key.back() = static_cast<char>(point);
      const uint32_t position = PositionOf(key);
      if (taken[position]) continue;
      taken[position] = true;
      points_.push_back({.position = position, .endpoint = endpoint});
    }
  }
  std::sort(points_.begin(), points_.end(), [](const Point& a, const Point& b) { return a.position < b.position; });
}

size_t HashRing::EndpointOf(std::string_view key) const {
  CHECK(!points_.empty());
  const auto point = std::lower_bound(points_.begin(), points_.end(), PositionOf(key),
                                      [](const Point& each, uint32_t position) { return each.position < position; });
  return point == points_.end() ? points_.front().endpoint : point->endpoint;
}

}  // namespace spanloom::pipeline
