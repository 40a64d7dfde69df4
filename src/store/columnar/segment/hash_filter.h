// SPDX-License-Identifier: Apache-2.0
//
// Tells quickly, from memory, that something is not in a segment, or in several: a Bloom filter whose bits for one hash
// lie in one cache line (Putze, Sanders, Singler: Cache-, Hash- and Space-Efficient Bloom Filters, 2007).

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace spanloom::store::columnar {

// Thread-compatible. 12 bits a hash; one in 100 that is not there, or fewer, passes for one that is
// (hash_filter_test.cc).
class HashFilter {
 public:
  // For so many.
  explicit HashFilter(size_t hashes);

  // Any number; those that are used are better distinct.
  void Add(uint64_t hash) {
    const Place place = PlaceOf(hash);
    for (size_t i = 0; i < place.bits.size(); ++i) lines_[place.line][i] |= place.bits[i];
  }

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
