// SPDX-License-Identifier: Apache-2.0
//
// Tells quickly, from memory, that a segment does not have a text: a Bloom filter whose bits for one hash lie in one
// cache line (Putze, Sanders, Singler: Cache-, Hash- and Space-Efficient Bloom Filters, 2007).

#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace spanloom::store::columnar {

// Immutable. 12 bits a hash; one in 100 that is not there, or fewer, passes for one that is (text_filter_test.cc).
class TextFilter {
 public:
  // Of distinct numbers, spread over any range.
  explicit TextFilter(std::span<const uint64_t> hashes);

  [[nodiscard]] bool MayHave(uint64_t hash) const {
    const Place place = PlaceOf(hash);
    const Line& line = lines_[place.line];
    for (size_t i = 0; i < line.size(); ++i) {
      if ((line[i] & place.bits[i]) != place.bits[i]) return false;
    }
    return true;
  }

 private:
  using Line = std::array<uint64_t, 8>;  // 64 bytes
  struct Place {
    size_t line = 0;
    Line bits = {};
  };

  [[nodiscard]] Place PlaceOf(uint64_t hash) const;

  std::vector<Line> lines_;  // never empty
};

}  // namespace spanloom::store::columnar
