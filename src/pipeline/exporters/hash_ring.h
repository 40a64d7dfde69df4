// SPDX-License-Identifier: Apache-2.0
//
// A consistent hash ring, with the positions of the Collector's load-balancing exporter: processes of both kinds that
// know the same endpoints send a trace to the same one. Karger et al., "Consistent Hashing and Random Trees" (1997).

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace spanloom::pipeline {

inline constexpr uint32_t kRingPositions = 36'000;  // the Collector's: hundredths of a degree
inline constexpr int kRingPoints = 100;             // of one endpoint; the Collector's

// Of zlib and IEEE 802.3.
[[nodiscard]] uint32_t Crc32(std::string_view bytes);

// Immutable.
class HashRing {
 public:
  struct Point {
    uint32_t position = 0;  // below kRingPositions
    size_t endpoint = 0;    // index
    friend bool operator==(const Point&, const Point&) = default;
  };

  HashRing() = default;
  // Each endpoint has `points` points, up to 256, less those that an endpoint before it has already.
  explicit HashRing(const std::vector<std::string>& endpoints, int points = kRingPoints);

  [[nodiscard]] bool empty() const { return points_.empty(); }
  // Ascending; each position once.
  [[nodiscard]] const std::vector<Point>& points() const { return points_; }

  // The endpoint of `key`: that of the first point from its position on, around the ring. Not of an empty ring.
  [[nodiscard]] size_t EndpointOf(std::string_view key) const;

 private:
  std::vector<Point> points_;
};

}  // namespace spanloom::pipeline
