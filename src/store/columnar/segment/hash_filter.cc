// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/hash_filter.h"

namespace spanloom::store::columnar {
namespace {

constexpr size_t kLineBits = 512;
constexpr size_t kBitsAHash = 12;  // that the filter has
constexpr size_t kBitsSet = 6;     // of a line, for a hash; about 0.7 * kBitsAHash, less since lines fill unevenly

// A finaliser of a 64-bit mix (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
uint64_t Mix(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58'476d'1ce4'e5b9;
  value = (value ^ (value >> 27)) * 0x94d0'49bb'1331'11eb;
  return value ^ (value >> 31);
}

}  // namespace

HashFilter::HashFilter(size_t hashes) : lines_(hashes * kBitsAHash / kLineBits + 1) {}

HashFilter::Place HashFilter::PlaceOf(uint64_t hash) const {
  const uint64_t of_line = Mix(hash + 1);
  Place place = {.line = static_cast<size_t>((of_line >> 32) * lines_.size() >> 32)};
  uint64_t of_bits = Mix(of_line);
  for (size_t i = 0; i < kBitsSet; ++i, of_bits >>= 9) {
    const size_t bit = of_bits % kLineBits;
    place.bits[bit / 64] |= uint64_t{1} << (bit % 64);
  }
  return place;
}

}  // namespace spanloom::store::columnar
